//! The FIFO that a runtime writes its archive into.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// The pipe size that an unprivileged process may ask for (`/proc/sys/fs/pipe-max-size`), in bytes.
const CAPACITY: usize = 1 << 20;

/// The reading end of a FIFO. Reading waits without a bound while the [`WriterGuard`] lives, since a checkpoint may
/// take long; after that, never longer than `patience` for the next byte.
#[derive(Debug)]
pub(crate) struct Fifo {
    reader: OwnedFd,
    release: OwnedFd,
    released: bool,
    patience: Duration,
}

/// Holds a writing end, so that the FIFO does not end while it lives: a runtime may open and close it more than once before
/// it answers. Dropped, the FIFO ends when the last writer closes it.
#[derive(Debug)]
pub(crate) struct WriterGuard {
    _writer: OwnedFd,
    /// Wakes the reader, which would not notice otherwise while a silent writer is left.
    _release: OwnedFd,
}

impl Fifo {
    /// Makes the FIFO `name` and opens its reading end, before anyone knows its name.
    pub(crate) fn create(
        directory: impl AsFd,
        name: &str,
        patience: Duration,
    ) -> io::Result<(Self, WriterGuard)> {
        rustix::fs::mkfifoat(&directory, name, PRIVATE)?;
        let end = |direction: OFlags| {
            let flags = direction | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(&directory, name, flags, Mode::empty())
        };
        let reader = end(OFlags::RDONLY)?;
        let writer = end(OFlags::WRONLY)?;
        // Only speed depends on it.
        let _ = rustix::pipe::fcntl_setpipe_size(&reader, CAPACITY);
        let (release, ring) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let fifo = Self {
            reader,
            release,
            released: false,
            patience,
        };
        Ok((
            fifo,
            WriterGuard {
                _writer: writer,
                _release: ring,
            },
        ))
    }

    /// Opens the reading end of a FIFO that an earlier gateway had made; `None` where `name` is none. Whatever its writers do,
    /// it ends after `patience` without a byte.
    pub(crate) fn reopen(
        directory: impl AsFd,
        name: &str,
        patience: Duration,
    ) -> io::Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let reader = match rustix::fs::openat(&directory, name, flags, Mode::empty()) {
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(None),
            opened => opened?,
        };
        let mode = rustix::fs::fstat(&reader)?.st_mode;
        if FileType::from_raw_mode(mode) != FileType::Fifo {
            return Ok(None);
        }
        let (release, _) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        Ok(Some(Self {
            reader,
            release,
            released: true,
            patience,
        }))
    }

    /// Waits this long for the next byte from now on.
    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    fn wait(&mut self) -> io::Result<()> {
        let patience = Timespec::try_from(self.patience)
            .ok()
            .filter(|_| self.released);
        let mut both = [
            PollFd::new(&self.reader, PollFlags::IN),
            PollFd::new(&self.release, PollFlags::IN),
        ];
        // Once released, the other descriptor would always be ready.
        let watched = if self.released {
            both.split_at_mut(1).0
        } else {
            &mut both
        };
        match rustix::event::poll(watched, patience.as_ref()) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [_, release] = &both;
        self.released |= !release.revents().is_empty();
        Ok(())
    }
}

impl Read for Fifo {
    /// Waits for bytes; `0` when the guard and every writer are gone; [`io::ErrorKind::TimedOut`] when patience ends.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::read(&self.reader, &mut *buffer) {
                Err(Errno::AGAIN) => self.wait()?,
                Err(Errno::INTR) => {}
                read => return Ok(read?),
            }
        }
    }
}
