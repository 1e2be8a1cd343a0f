//! Progress of long work, shown to a person at a terminal.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Format;

/// Shorter work shows no progress.
const DELAY: Duration = Duration::from_secs(2);

const BYTES: &str = "{msg}  {binary_bytes} of {binary_total_bytes}  {percent} %, {eta} left";
const THINGS: &str = "{human_pos} {msg}";

/// A line on standard error that appears after two seconds. There is none where standard error is not a terminal or the
/// result is for programs.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When the line appears; `None` once it has, and where there is none.
    appears: Option<Instant>,
}

impl Progress {
    /// Progress through `total` bytes, with the work's name before the numbers.
    pub(crate) fn of_bytes(work: &'static str, total: u64, format: Format) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        Self::new(bar, BYTES, work, format)
    }

    /// Progress through things of unknown number, with their name behind the number.
    pub(crate) fn of_things(things: &'static str, format: Format) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self::new(bar, THINGS, things, format)
    }

    fn new(bar: ProgressBar, template: &str, message: &'static str, format: Format) -> Self {
        // A test below checks the templates.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(message);
        Self {
            bar,
            appears: (format == Format::Text).then(|| Instant::now() + DELAY),
        }
    }

    pub(crate) fn advance(&mut self, by: u64) {
        if self.appears.is_some_and(|time| Instant::now() >= time) {
            self.appears = None;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(by);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A reader that shows how much of it is read.
pub(crate) struct ProgressReader<R> {
    reader: R,
    progress: Progress,
}

impl<R> ProgressReader<R> {
    /// `bytes` is the reader's length.
    pub(crate) fn new(reader: R, work: &'static str, bytes: u64, format: Format) -> Self {
        Self {
            reader,
            progress: Progress::of_bytes(work, bytes, format),
        }
    }
}

impl<R: Read> Read for ProgressReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.progress.advance(length as u64);
        Ok(length)
    }
}

impl<R: Seek> Seek for ProgressReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = self.reader.seek(to)?;
        self.progress.bar.set_position(position);
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_a_reader() {
        let mut reader = ProgressReader::new(io::Cursor::new("abc"), "hashing", 3, Format::Json);
        assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap(), 3);
        assert_eq!(reader.progress.bar.position(), 3);
        reader.rewind().unwrap();
        assert_eq!(reader.progress.bar.position(), 0);
    }

    #[test]
    fn programs_see_no_progress() {
        let mut progress = Progress::of_things("requests", Format::Json);
        assert_eq!(progress.appears, None);
        progress.advance(1);
        assert!(progress.bar.is_hidden());
    }

    #[test]
    fn templates_are_right() {
        for template in [BYTES, THINGS] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
