// Holds secrets where a search for bytes does not see them, until it is killed. Without a C library, so that it is small.
//
//     places registers WIDTH FIRST   in all registers of the processor: WIDTH bytes in each vector register
//     places kernel FIRST            in counters, payloads, queues and buffers of the kernel
//
// Secret N is the variable SECRET_N; those that are used begin with SECRET_FIRST. Every copy of a part is wiped, so that the parts
// stand in no memory of the process.

typedef unsigned long word;

static long call(long number, word a, word b, word c, word d) {
  long result;
  register word r10 __asm__("r10") = d;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}

static word try(long number, word a, word b, word c, word d) {
  long result = call(number, a, b, c, d);
  if (result < 0) {
    char text[] = "places: system call 000 failed with 000\n";
    for (int i = 0; i < 3; i++) {
      int scale = i == 0 ? 100 : i == 1 ? 10 : 1;
      text[20 + i] = '0' + number / scale % 10;
      text[36 + i] = '0' + -result / scale % 10;
    }
    call(1, 1, (word)text, sizeof text - 1, 0);
    call(60, 1, 0, 0, 0);
  }
  return result;
}

static void wipe(void *at, word length) {
  for (volatile char *byte = at; length--; byte++) *byte = 0;
}

static void copy(void *to, const void *from, word length) {
  char *t = to;
  for (const char *f = from; length--;) *t++ = *f++;
}

static word length(const char *text) {
  word n = 0;
  while (text[n]) n++;
  return n;
}

static int number(const char *text) {
  int n = 0;
  while (*text >= '0' && *text <= '9') n = n * 10 + *text++ - '0';
  return n;
}

static const char *at[70];

static void find(char **environment, int first) {
  for (; *environment; environment++) {
    const char *name = *environment, *prefix = "SECRET_";
    while (*prefix && *name == *prefix) name++, prefix++;
    int n = number(name) - first;
    if (*prefix || n < 0 || n >= 70) continue;
    while (*name != '=') name++;
    at[n] = name + 1;
  }
}

// Register N of the vectors holds secret N; k1 to k7 hold 32 to 38, x87's 39 to 46, the general ones 47 to 61.
static char vector[64];

#define VECTOR(n, how) vector_of(n, width); __asm__ volatile(how :: "r"(vector));
#define ZMM(n) VECTOR(n, "vmovdqu64 (%0), %%zmm" #n)
#define YMM(n) VECTOR(n, "vmovdqu (%0), %%ymm" #n)
#define XMM(n) VECTOR(n, "movdqu (%0), %%xmm" #n)
#define EIGHT(of, a, b, c, d, e, f, g, h) of(a) of(b) of(c) of(d) of(e) of(f) of(g) of(h)
#define SIXTEEN(of) EIGHT(of, 0, 1, 2, 3, 4, 5, 6, 7) EIGHT(of, 8, 9, 10, 11, 12, 13, 14, 15)
#define LOAD(n, how) "mov at+8*" #n "(%%rip), %%rax\n" how "\n"
#define MASK(n, k) LOAD(n, "kmovq (%%rax), %%k" #k)
#define FLOAT(n) LOAD(n, "fldt (%%rax)")
#define GENERAL(n, r) LOAD(n, "mov (%%rax), %%" #r)

static void vector_of(int n, int width) {
  word size = length(at[n]);
  wipe(vector, sizeof vector);
  copy(vector, at[n], size < (word)width ? size : (word)width);
}

static void registers(int width) {
  if (width == 64) {
    SIXTEEN(ZMM)
    EIGHT(ZMM, 16, 17, 18, 19, 20, 21, 22, 23)
    EIGHT(ZMM, 24, 25, 26, 27, 28, 29, 30, 31)
    __asm__ volatile(MASK(32, 1) MASK(33, 2) MASK(34, 3) MASK(35, 4) MASK(36, 5) MASK(37, 6) MASK(38, 7) ::: "rax");
  } else if (width == 32) {
    SIXTEEN(YMM)
  } else {
    SIXTEEN(XMM)
  }
  wipe(vector, sizeof vector);
  // Without a system call, so that no register has to hold anything else.
  __asm__ volatile(EIGHT(FLOAT, 39, 40, 41, 42, 43, 44, 45, 46)
    GENERAL(48, rbx) GENERAL(49, rcx) GENERAL(50, rdx) GENERAL(51, rsi) GENERAL(52, rdi) GENERAL(53, rbp) GENERAL(54, r8) GENERAL(55, r9)
    GENERAL(56, r10) GENERAL(57, r11) GENERAL(58, r12) GENERAL(59, r13) GENERAL(60, r14) GENERAL(61, r15) GENERAL(47, rax)
    "1: pause\njmp 1b\n" : : : "memory");
}

static void counters(void) {
  for (int i = 0; i < 4; i++) {
    word event = try(290, 0, 0, 0, 0); // eventfd2
    try(1, event, (word)at[i], 8, 0);
  }
  word poll = try(291, 0, 0, 0, 0); // epoll_create1
  for (int i = 4; i < 8; i++) {
    struct __attribute__((packed)) { unsigned events; char data[8]; } event = { 1, {0} };
    copy(event.data, at[i], 8);
    try(233, poll, 1, try(290, 0, 0, 0, 0), (word)&event); // epoll_ctl, EPOLL_CTL_ADD
    wipe(&event, sizeof event);
  }
}

static void payloads(void) {
  for (int i = 8; i < 12; i++) {
    struct { char value[8]; int signal, notify; char rest[48]; } event = { {0}, 40, 0, {0} };
    int timer;
    copy(event.value, at[i], 8);
    try(222, 1, (word)&event, (word)&timer, 0); // timer_create
    wipe(&event, sizeof event);
  }
  word blocked = 1UL << 41; // signal 42
  try(14, 0, (word)&blocked, 0, 8); // rt_sigprocmask, SIG_BLOCK
  word self = try(39, 0, 0, 0, 0); // getpid
  for (int i = 12; i < 16; i++) {
    struct { int signal, error, code, none, process, user; char value[8], rest[96]; } info = { 42, 0, -1, 0, self, 0, {0}, {0} };
    copy(info.value, at[i], 8);
    try(129, self, 42, (word)&info, 0); // rt_sigqueueinfo
    wipe(&info, sizeof info);
  }
}

static void queues(void) {
  word queue = try(68, 0, 01600, 0, 0); // msgget, IPC_PRIVATE, IPC_CREAT
  for (int i = 16; i < 18; i++) {
    struct { char type[8], text[120]; } message;
    copy(message.type, at[i], 8);
    copy(message.text, at[i + 2], length(at[i + 2]));
    try(69, queue, (word)&message, length(at[i + 2]), 0); // msgsnd
    wipe(&message, sizeof message);
  }
  char *shared = (char *)try(30, try(29, 0, 4096, 01600, 0), 0, 0, 0); // shmget, shmat
  copy(shared, at[20], length(at[20]));
  int ends[2];
  try(22, (word)ends, 0, 0, 0); // pipe
  try(1, ends[1], (word)at[21], length(at[21]), 0);
  for (int kind = 1; kind < 3; kind++) { // SOCK_STREAM, SOCK_DGRAM
    try(53, 1, kind, 0, (word)ends); // socketpair
    try(1, ends[1], (word)at[21 + kind], length(at[21 + kind]), 0);
  }
  word file = try(319, (word) "kept", 0, 0, 0); // memfd_create
  try(1, file, (word)at[24], length(at[24]), 0);
  struct { unsigned short family; char name[108]; } address = { 1, {0} };
  copy(address.name + 1, at[25], length(at[25]));
  try(49, try(41, 1, 2, 0, 0), (word)&address, 3 + length(at[25]), 0); // socket, bind
  wipe(&address, sizeof address);
  try(157, 15, (word)at[26], 0, 0); // prctl, PR_SET_NAME
}

__attribute__((used)) static void begin(word *stack) {
  int arguments = *stack;
  char **given = (char **)stack + 1, **environment = given + arguments + 1;
  int in_registers = given[1][0] == 'r';
  find(environment, number(given[arguments - 1]));
  if (in_registers) registers(number(given[2]));
  counters();
  payloads();
  queues();
  for (;;) call(34, 0, 0, 0, 0); // pause
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall begin\n");
