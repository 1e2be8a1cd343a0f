use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use super::Output;
use crate::size::size;

/// What is over sooner needs no word.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two lines.
const PAUSE: Duration = Duration::from_millis(200);

/// A reader that tells the person at the terminal how far it has come, once that takes long.
pub(super) struct Progress<R> {
    reader: R,
    what: &'static str,
    done: u64,
    all: u64,
    /// `None` where nobody watches.
    next: Option<Instant>,
    shown: bool,
}

impl<R> Progress<R> {
    /// `what` goes before the numbers; `all` is what there is to read, in bytes.
    pub(super) fn new(reader: R, what: &'static str, all: u64, output: Output) -> Self {
        let watched = output == Output::Text && io::stderr().is_terminal();
        let next = watched.then(|| Instant::now() + PATIENCE);
        Self {
            reader,
            what,
            done: 0,
            all,
            next,
            shown: false,
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.done = self.done.saturating_add(bytes as u64);
        let now = Instant::now();
        if self.next.is_some_and(|next| now >= next) {
            self.next = Some(now + PAUSE);
            self.shown = true;
            let line = line(self.what, self.done, self.all);
            // Nobody is helped by an error about a line that nobody sees.
            let _ = write!(io::stderr(), "\r\x1b[K{line}");
        }
    }
}

impl<R: Read> Read for Progress<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.advance(length);
        Ok(length)
    }
}

impl<R: Seek> Seek for Progress<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.done = self.reader.seek(to)?;
        Ok(self.done)
    }
}

impl<R> Drop for Progress<R> {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(what: &str, done: u64, all: u64) -> String {
    let percent = done
        .saturating_mul(100)
        .checked_div(all)
        .unwrap_or(100)
        .min(100);
    format!("{what}  {} of {}  {percent} %", size(done), size(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_it_is() {
        assert_eq!(
            line("hashing", 512 << 20, 2 << 30),
            "hashing  512.0 MiB of 2.0 GiB  25 %"
        );
        assert_eq!(line("hashing", 5, 0), "hashing  5 B of 0 B  100 %");
    }

    #[test]
    fn machines_see_no_progress() {
        let mut progress = Progress::new(&b"abc"[..], "hashing", 3, Output::Json);
        assert!(progress.next.is_none());
        assert_eq!(io::copy(&mut progress, &mut io::sink()).unwrap(), 3);
        assert!(!progress.shown);
    }
}
