//! Parts of archives, by hand.

use std::io::{self, ErrorKind, Write};
use std::process::{Command, Stdio};

/// The value of the variable that redaction knows.
pub(crate) const VALUE: &[u8] = b"Hk29-pale-Walnut-774x-of-the-case";

/// The two blocks of zeros that end a tar.
pub(crate) const END: [u8; 1024] = [0; 1024];

/// Numbers that look random and are the same every time.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ self.0 >> 29
    }

    pub(crate) fn noise(&mut self, length: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| self.next().to_le_bytes());
        words.flatten().take(length).collect()
    }
}

/// A header of `kind`.
pub(crate) fn header(name: &[u8], size: u64, kind: u8, link: &[u8]) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = header.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, name);
    put(100, b"0000600\x000000000\x000000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0        ");
    put(156, &[kind]);
    put(157, link);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(place) = header.get_mut(148..156) {
        place.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    header
}

/// A file, padded.
pub(crate) fn file(out: &mut dyn Write, name: &str, contents: &[u8]) -> io::Result<()> {
    out.write_all(&header(name.as_bytes(), contents.len() as u64, b'0', b""))?;
    out.write_all(contents)?;
    out.write_all(&vec![
        0;
        contents.len().next_multiple_of(512) - contents.len()
    ])
}

/// A tar of files.
pub(crate) fn tar<'a>(files: impl Iterator<Item = (String, &'a [u8])>) -> io::Result<Vec<u8>> {
    let mut tar = Vec::new();
    for (name, contents) in files {
        file(&mut tar, &name, contents)?;
    }
    tar.extend(END);
    Ok(tar)
}

/// So many copies of one file.
pub(crate) fn copies(contents: &[u8], count: usize) -> io::Result<Vec<u8>> {
    tar((0..count).map(|at| (format!("data/{at}"), contents)))
}

/// A checkpoint with this specification's environment, behind these members.
pub(crate) fn end_checkpoint(out: &mut dyn Write, environment: &[String]) -> io::Result<()> {
    let spec = serde_json::json!({"process": {"env": environment, "args": ["app"], "cwd": "/"}});
    file(out, "spec.dump", spec.to_string().as_bytes())?;
    file(out, "config.dump", b"{}")?;
    out.write_all(&END)
}

/// A checkpoint with one further member.
pub(crate) fn checkpoint(out: &mut dyn Write, name: &str, contents: &[u8]) -> io::Result<()> {
    file(out, name, contents)?;
    end_checkpoint(
        out,
        &["API_KEY=Hk29-pale-Walnut-774x-of-the-case".to_owned()],
    )
}

pub(crate) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

/// Numbers by field.
pub(crate) fn message(fields: &[(u64, u64)]) -> Vec<u8> {
    let mut message = Vec::new();
    for (number, value) in fields {
        varint(number << 3, &mut message);
        varint(*value, &mut message);
    }
    message
}

/// A field that holds bytes.
pub(crate) fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    varint(number << 3 | 2, &mut field);
    varint(bytes.len() as u64, &mut field);
    field.extend(bytes);
    field
}

pub(crate) fn image(entries: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut image = 0x5456_4319_u32.to_le_bytes().to_vec();
    image.extend(0x5749_2820_u32.to_le_bytes());
    for entry in entries {
        image.extend(u32::try_from(entry.len()).unwrap_or(u32::MAX).to_le_bytes());
        image.extend(entry);
    }
    image
}

/// What this machine's packer makes of `contents`.
pub(crate) fn pack(program: &str, arguments: &[&str], contents: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
    let input = packer.stdin.take().ok_or(ErrorKind::BrokenPipe)?;
    let done = std::thread::scope(|scope| {
        scope.spawn(move || { &input }.write_all(contents));
        packer.wait_with_output()
    })?;
    Ok(done.stdout)
}
