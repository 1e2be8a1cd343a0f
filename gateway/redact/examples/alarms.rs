//! Counts what one detector finds in the files of folders, to measure false alarms where no secrets are expected:
//! `cargo run --release -p gateway-redact --example alarms -- credit-card /usr/share /usr/lib`. Prints the number of matches
//! and of files, and the files with the most. With `--offsets` also where each match begins.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use gateway_core::{MaskRule, Pattern, Place, Plan};
use gateway_redact::search::{Rules, SearchSettings};

const SHOWN: usize = 40;
const PIECE: usize = 1 << 20;
/// A byte that stands in few texts, so that masks can be told from what stood there.
const MASK: u8 = 0x1a;

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, words): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|word| word.starts_with("--"));
    let (detector, folders) = words.split_first().ok_or("name a detector and folders")?;
    let rules = alone(detector)?;
    let mut seen = Seen::default();
    for folder in folders {
        seen.walk(
            &rules,
            Path::new(folder),
            flags.contains(&"--offsets".to_owned()),
        )?;
    }
    seen.files.sort_by(|a, b| b.cmp(a));
    let matches: u64 = seen.files.iter().map(|(count, _)| count).sum();
    let mut text = format!(
        "{matches} matches in {} of {} files, {} MiB\n",
        seen.files.len(),
        seen.count,
        seen.bytes >> 20
    );
    for (count, path) in seen.files.iter().take(SHOWN) {
        writeln!(text, "{count:8} {}", path.display())?;
    }
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn alone(detector: &str) -> Result<Rules, Box<dyn Error>> {
    let rule = MaskRule {
        name: detector.to_owned(),
        pattern: Pattern::Detector(detector.to_owned()),
        places: BTreeSet::from([Place::Files]),
    };
    let plan = Plan {
        mask: vec![rule],
        ..Plan::default()
    };
    let settings = SearchSettings {
        mask: MASK,
        ..SearchSettings::default()
    };
    Ok(Rules::compile(&plan, &[], &settings)?)
}

#[derive(Default)]
struct Seen {
    count: u64,
    bytes: u64,
    /// Those with matches.
    files: Vec<(u64, PathBuf)>,
}

impl Seen {
    fn walk(&mut self, rules: &Rules, folder: &Path, offsets: bool) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)?.flatten() {
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                // A folder that vanishes or may not be read.
                let _ = self.walk(rules, &path, offsets);
            } else if kind.is_file()
                && let Ok(file) = File::open(&path)
            {
                self.file(rules, file, path, offsets)?;
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        rules: &Rules,
        mut file: File,
        path: PathBuf,
        offsets: bool,
    ) -> io::Result<()> {
        let mut masker = rules.masker(Place::Files);
        let (mut starts, mut at, mut last) = (Vec::new(), 0u64, 0);
        let mut out = |piece: &[u8]| -> Result<(), Infallible> {
            for &byte in piece.iter().filter(|_| offsets) {
                if byte == MASK && last != MASK {
                    starts.push(at);
                }
                (at, last) = (at + 1, byte);
            }
            Ok(())
        };
        let mut piece = vec![0; PIECE];
        loop {
            let length = file.read(&mut piece)?;
            let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else {
                break;
            };
            self.bytes += length as u64;
            let Ok(()) = masker.push(read, &mut out);
        }
        let Ok(()) = masker.finish(&mut out);
        self.count += 1;
        let matches = masker.tally().iter().map(|(_, _, count)| count.masks).sum();
        if matches > 0 {
            if offsets {
                let line = format!("{} {starts:?}\n", path.display());
                io::stdout().write_all(line.as_bytes())?;
            }
            self.files.push((matches, path));
        }
        Ok(())
    }
}
