//! Made-up memory of processes. In pages of 4 KiB: 30 % zeros, 25 % machine code (of this bench itself), 25 % heap text
//! (JSON, logs, HTTP, UTF-8), 12 % pointers and small numbers, 8 % random bytes; and one secret of the plan in each MiB.

use std::io;

const PAGE: usize = 4096;

/// A generator that gives the same numbers in every run (Knuth's MMIX constants).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new() -> Self {
        Self(42)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ self.0 >> 29
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 8) % bound
    }

    /// As many characters as wanted, of these.
    pub(crate) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let one = |_| {
            alphabet
                .get(usize::try_from(self.below(alphabet.len() as u64)).ok()?)
                .copied()
        };
        String::from_utf8((0..length).filter_map(one).collect()).unwrap_or_default()
    }
}

/// The kinds of pages, one by one, for the figures of each.
pub(crate) const KINDS: [&str; 5] = ["zeros", "code", "text", "pointers", "random"];

/// So many MiB of one kind, or of the mix.
pub(crate) fn memory(mib: usize, kind: Option<&str>, secrets: &[String]) -> io::Result<Vec<u8>> {
    let code = std::fs::read(std::env::current_exe()?)?;
    // The first quarter is headers and names.
    let code = code.get(code.len() / 4..code.len() / 2).unwrap_or(&code);
    let mut numbers = Numbers::new();
    let mut memory = Vec::with_capacity(mib << 20);
    while memory.len() < mib << 20 {
        let chosen = kind.unwrap_or_else(|| mixed(&mut numbers));
        page(&mut numbers, chosen, code, &mut memory);
    }
    for (index, mebibyte) in memory.chunks_mut(1 << 20).enumerate() {
        let secret = kind
            .is_none()
            .then(|| secrets.get(index % secrets.len().max(1)))
            .flatten();
        let places = mebibyte.chunks_mut(secret.map_or(1, String::len));
        let at = usize::try_from(numbers.below(1 << 14)).unwrap_or(0);
        if let Some((place, secret)) = places.into_iter().nth(at).zip(secret)
            && place.len() == secret.len()
        {
            place.copy_from_slice(secret.as_bytes());
        }
    }
    Ok(memory)
}

fn mixed(numbers: &mut Numbers) -> &'static str {
    match numbers.below(100) {
        0..30 => "zeros",
        30..55 => "code",
        55..80 => "text",
        80..92 => "pointers",
        _ => "random",
    }
}

fn page(numbers: &mut Numbers, kind: &str, code: &[u8], memory: &mut Vec<u8>) {
    let end = memory.len() + PAGE;
    match kind {
        "code" => {
            let pages = (code.len() / PAGE).max(1) as u64;
            let at = usize::try_from(numbers.below(pages)).unwrap_or(0) * PAGE;
            memory.extend_from_slice(code.get(at..at + PAGE).unwrap_or_default());
        }
        "text" => {
            while memory.len() < end {
                memory.extend_from_slice(line(numbers).as_bytes());
            }
        }
        "pointers" => {
            for _ in 0..PAGE / 16 {
                memory.extend((0x7f3a_0000_0000 + numbers.below(1 << 28) * 8).to_le_bytes());
                memory.extend(numbers.below(5000).to_le_bytes());
            }
        }
        "random" => (0..PAGE / 8).for_each(|_| memory.extend(numbers.next().to_le_bytes())),
        _ => {}
    }
    memory.resize(end, 0);
}

/// A line as a shop's back end has on its heap.
fn line(numbers: &mut Numbers) -> String {
    let id = numbers.below(1 << 40);
    let count = numbers.below(1000);
    let name = numbers.text(b"abcdefghijklmnoprstuvw", 9);
    match numbers.below(7) {
        0 => format!(
            "{{\"id\":{id},\"customer\":{{\"name\":\"{name}\",\"email\":\"{name}@shop.example\",\"city\":\"Köln\"}},\"total\":{count}.90,\"items\":[{{\"sku\":\"A-{count}\",\"quantity\":2}}]}}"
        ),
        1 => format!(
            "2026-08-14T09:{:02}:{:02}.{count:03}Z INFO  request{{method=GET uri=/api/orders/{id} status=200}}: finished in {count} us\n",
            id % 60,
            count % 60
        ),
        2 => format!(
            "GET /static/{name}.js?v={count} HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nReferer: https://shop.example/{name}\r\n\r\n"
        ),
        3 => format!(
            "trace {:016x}{:016x} span {:016x}\n",
            numbers.next(),
            numbers.next(),
            id
        ),
        4 => format!(
            "SELECT o.id, o.total FROM orders o WHERE o.customer_id = {id} AND o.state = 'open' LIMIT {count};\0"
        ),
        5 => format!(
            "Der Auftrag {id} für {name} wurde geprüft; die Überweisung über {count} € ist unterwegs. "
        ),
        _ => format!(
            "/usr/lib/python3.13/site-packages/{name}/__init__.py\0PATH=/usr/local/bin:/usr/bin\0"
        ),
    }
}
