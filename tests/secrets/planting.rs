//! A script that puts secrets into the places that a container has.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

use super::forms::Secret;

/// A text that must be found in the archive as the runtime writes it, and not in the redacted one.
pub struct Plant {
    /// The number of its secret.
    pub secret: usize,
    /// For messages.
    pub place: &'static str,
    /// A part of the names of all views that may show it.
    pub view: &'static str,
    pub text: Vec<u8>,
}

/// A script and what it plants.
#[derive(Default)]
pub struct Planting {
    pub script: String,
    pub plants: Vec<Plant>,
}

/// Makes a file's contents of texts.
type Pack = fn(&[u8]) -> Vec<u8>;

/// The files, each with the part of its path by which a view is known, and its contents. By its number, a secret is in one of
/// these, in the log, in a buffer on the heap, or among the arguments of a process.
const FILES: [(&str, &str, Pack); 6] = [
    ("plain.txt", "plain.txt", <[u8]>::to_vec),
    ("packed.gz", "packed.gz|gzip", gzip),
    ("packed.zst", "packed.zst|zstd", zstd),
    ("packed.zip", "packed.zip|zip", zip),
    ("packed.tgz", "packed.tgz|gzip|tar/inner.txt", tarball),
    ("twice.gz", "twice.gz|gzip|gzip", |it| gzip(&gzip(it))),
];
const LOG: usize = FILES.len();
const HEAP: usize = LOG + 1;
const ARGUMENTS: usize = HEAP + 1;
const PLACES: usize = ARGUMENTS + 1;

/// The most bytes of texts in one buffer: `tail` keeps what it reads in pieces that lie apart.
const BUFFER: usize = 3000;

impl Planting {
    /// `decode` is a command that undoes base64; `log` is the log's name in the archive. Files stand in the working folder.
    pub fn of(secrets: &[Secret], decode: &str, log: &'static str) -> Self {
        let mut planting = Self::default();
        for (place, (file, view, pack)) in FILES.iter().enumerate() {
            let texts = planting.texts(of(secrets, place), file, view);
            planting.file(file, &pack(&texts), decode);
        }
        planting.log(secrets, decode, log);
        planting.heap(secrets, decode);
        planting.arguments(secrets, decode);
        planting.names(secrets);
        planting
    }

    pub fn add(&mut self, secret: usize, place: &'static str, view: &'static str, text: &[u8]) {
        self.plants.push(Plant {
            secret,
            place,
            view,
            text: text.to_vec(),
        });
    }

    /// Runs a command in the background for as long as the container lives; the script checks that it lives.
    pub fn hold(&mut self, command: &str) {
        writeln!(self.script, "{command} &\nheld=\"$held $!\"").unwrap();
    }

    /// All secrets, many times, in the heap of one process, across its pages and the pieces in which an archive is read.
    /// `command` gets them as `$all`.
    pub fn repeat(&mut self, secrets: &[Secret], command: &str) {
        self.script += "all=\n";
        for (at, secret) in secrets.iter().enumerate() {
            writeln!(self.script, "all=\"$all $SECRET_{at}\"").unwrap();
            self.add(at, "memory", "checkpoint/pages-", secret.value.as_bytes());
            self.add(at, "variable", "spec.dump", secret.beginning());
        }
        self.hold(command);
    }

    /// Then says `tick N all alive` once a second.
    pub fn ticking(mut self) -> Self {
        self.script += "n=0\nwhile :; do\n    n=$((n + 1)); alive=alive\n    \
            for process in $held; do kill -0 $process || alive=\"without $process\"; done\n    \
            echo \"tick $n all $alive\"; sleep 1\ndone\n";
        self
    }

    /// The texts of these secrets, in lines.
    pub fn texts<'a>(
        &mut self,
        secrets: impl Iterator<Item = (usize, &'a Secret)>,
        place: &'static str,
        view: &'static str,
    ) -> Vec<u8> {
        let mut texts = Vec::new();
        for (number, secret) in secrets {
            self.add(number, place, view, &secret.text);
            texts.extend_from_slice(&secret.text);
            texts.extend_from_slice(b"\n\n");
        }
        texts
    }

    pub fn file(&mut self, name: &str, contents: &[u8], decode: &str) {
        let contents = STANDARD.encode(contents);
        writeln!(self.script, "echo {contents} | {decode} >{name}").unwrap();
    }

    fn log(&mut self, secrets: &[Secret], decode: &str, log: &'static str) {
        for (number, secret) in of(secrets, LOG) {
            // The runtime breaks them, and no reader puts them together again.
            if secret.has_lines() {
                continue;
            }
            let text = STANDARD.encode(&secret.text);
            writeln!(self.script, "echo {text} | {decode}; echo").unwrap();
            self.add(number, "log", log, &secret.text);
        }
    }

    fn heap(&mut self, secrets: &[Secret], decode: &str) {
        let mut rest: Vec<_> = of(secrets, HEAP).collect();
        while !rest.is_empty() {
            let mut texts = Vec::new();
            while let Some((number, secret)) = rest.pop_if(|_| texts.len() < BUFFER) {
                self.add(number, "heap", "checkpoint/pages-", &secret.text);
                texts.extend_from_slice(&secret.text);
                texts.extend_from_slice(b"\n\n");
            }
            let texts = STANDARD.encode(&texts);
            // In a loop: a checkpoint interrupts the call.
            self.hold(&format!(
                "(echo {texts} | {decode}; while :; do sleep 1000; done) | tail -c 100000"
            ));
        }
    }

    fn arguments(&mut self, secrets: &[Secret], decode: &str) {
        self.script += "set -- \n";
        for (number, secret) in of(secrets, ARGUMENTS) {
            if secret.text.contains(&0) {
                continue;
            }
            let text = STANDARD.encode(&secret.text);
            // The dot keeps the shell from taking off newlines.
            writeln!(
                self.script,
                "set -- \"$@\" \"$(echo {text} | {decode}; echo .)\""
            )
            .unwrap();
            self.add(number, "argument", "checkpoint/pages-", &secret.text);
        }
        self.hold("sh -c 'while :; do sleep 1000; done' \"$@\"");
        self.script += "set -- \n";
    }

    /// Names of files and targets of links.
    fn names(&mut self, secrets: &[Secret]) {
        self.script += "mkdir named\n";
        let plain = |(_, secret): &(usize, &Secret)| !secret.has_lines();
        let numbered = secrets.iter().enumerate().filter(plain);
        for (number, secret) in numbered.step_by(10) {
            writeln!(self.script, "ln -s \"$SECRET_{number}\" named/{number}").unwrap();
            self.add(number, "link", "(names)", secret.value.as_bytes());
            // No name has the sign that is in all values.
            let name = STANDARD.encode(&secret.value).replace('/', "_");
            writeln!(self.script, ": >named/{name}").unwrap();
            self.add(number, "name", "(names)", name.as_bytes());
        }
    }
}

/// The secrets whose place this is. The count of forms has no factor in common with that of places, so that all forms come to all.
fn of(secrets: &[Secret], place: usize) -> impl Iterator<Item = (usize, &Secret)> {
    let numbered = secrets.iter().enumerate();
    numbered.filter(move |(number, _)| number % PLACES == place)
}

fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}

fn zstd(contents: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(contents, ruzstd::encoding::CompressionLevel::Fastest)
}

fn tarball(contents: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(contents.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, "inner.txt", contents).unwrap();
    gzip(&tar.into_inner().unwrap())
}

fn number(length: usize) -> u32 {
    length.try_into().unwrap()
}

/// A zip with one stored member and one that is deflated (APPNOTE 6.3.10), half of the texts in each.
fn zip(contents: &[u8]) -> Vec<u8> {
    let middle = contents.windows(2).enumerate();
    let middle = middle.filter(|(at, two)| two == b"\n\n" && at * 2 > contents.len());
    let (stored, deflated) = contents.split_at(middle.map(|(at, _)| at).next().unwrap() + 2);
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(deflated).unwrap();
    let packed = encoder.finish().unwrap();
    let members = [
        ("stored.txt", 0, stored, stored),
        ("deflated.txt", 8, deflated, &*packed),
    ];
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, method, whole, packed) in members {
        let mut crc = Crc::new();
        crc.update(whole);
        let fields = |name: &str| {
            let mut fields = vec![20, 0, 0, 0, method, 0, 0, 0, 0x21, 0];
            for number in [
                crc.sum(),
                number(packed.len()),
                number(whole.len()),
                number(name.len()),
            ] {
                fields.extend(number.to_le_bytes());
            }
            fields
        };
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(fields(name));
        directory.extend([0; 10]);
        directory.extend(number(zip.len()).to_le_bytes());
        directory.extend(name.as_bytes());
        zip.extend(b"PK\x03\x04");
        zip.extend(fields(name));
        zip.extend(name.as_bytes());
        zip.extend(packed);
    }
    let start = number(zip.len());
    zip.extend(&directory);
    zip.extend(b"PK\x05\x06\0\0\0\0\x02\0\x02\0");
    zip.extend(number(directory.len()).to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend([0, 0]);
    zip
}
