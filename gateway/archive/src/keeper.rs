use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use crate::hashed::Hashed;
use crate::hasher::Hasher;
use crate::original::{KeepOriginal, Recipients};
use crate::place::{ORIGINAL, Place};
use crate::sink::{ArchiveFile, Sink};
use crate::stream::Stream;
use crate::{Error, Reservation};

/// Buffers per original: one being filled, one being sealed, two between, since the disk takes longer at times.
const BUFFERS: usize = 4;

/// Keeps what the runtime writes, beside the redactor, on a thread of its own: sealing takes as long as hashing, and the
/// container may be frozen until all is read.
#[derive(Debug)]
pub(crate) struct Keeper {
    full: Option<SyncSender<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Result<KeptOriginal, Error>>>,
}

/// A whole original in its place, not yet published. Its reservation lives as long.
#[derive(Debug)]
pub(crate) struct KeptOriginal {
    pub(crate) file: File,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// How many can open it; `None` if it is not sealed.
    pub(crate) recipients: Option<usize>,
    _reservation: Reservation,
}

impl Keeper {
    /// Started before the runtime is touched; `None` where nothing is to be kept.
    pub(crate) fn start(
        place: &Place,
        reservation: &mut Reservation,
    ) -> Result<Option<Self>, Error> {
        let recipients = match &place.inner().settings.original {
            KeepOriginal::No => return Ok(None),
            KeepOriginal::Plaintext => None,
            KeepOriginal::Sealed(recipients) => Some(recipients.clone()),
        };
        let path = place.path_of(ORIGINAL);
        let file = ArchiveFile::new(place.create(ORIGINAL)?, path.clone(), reservation.halve());
        Self::spawn(file, recipients)
            .map(Some)
            .map_err(Error::io("start a thread for", &path))
    }

    fn spawn(file: ArchiveFile, recipients: Option<Recipients>) -> io::Result<Self> {
        let (full, to_keep) = sync_channel::<Vec<u8>>(BUFFERS);
        let (kept, empty) = channel();
        for _ in 0..BUFFERS {
            // Fails only without a receiver, which is right here.
            let _ = kept.send(Vec::new());
        }
        let hasher = Hasher::start()?;
        let work = move || keep(file, hasher, recipients.as_ref(), &to_keep, &kept);
        let thread = Builder::new().name("archive-seal".to_owned()).spawn(work)?;
        Ok(Self {
            full: Some(full),
            empty,
            thread: Some(thread),
        })
    }

    /// The next bytes that the runtime wrote. Waits while all buffers are still to be kept, but never for a disk that
    /// failed: what fails is told at the end.
    pub(crate) fn put(&self, bytes: &[u8]) {
        let mut buffer = self.empty.recv().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        // Fails only without the thread, which `finish` reports.
        let _ = self.full.as_ref().map(|full| full.send(buffer));
    }

    /// The whole original, or why there is none.
    pub(crate) fn finish(mut self) -> Result<KeptOriginal, Error> {
        self.full = None;
        let kept = self.thread.take().map(JoinHandle::join);
        let kept = kept.and_then(Result::ok).unwrap_or(Err(Error::Worker));
        kept.map_err(|error| Error::Seal(Box::new(error)))
    }
}

impl Drop for Keeper {
    /// Waits for the thread, which has nothing left to wait for: what it reserved is free again afterwards.
    fn drop(&mut self) {
        self.full = None;
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Keeps all that comes. Takes it to the end whatever happens: the runtime would block for ever if it did not.
fn keep(
    mut file: ArchiveFile,
    hasher: Hasher,
    recipients: Option<&Recipients>,
    full: &Receiver<Vec<u8>>,
    empty: &Sender<Vec<u8>>,
) -> Result<KeptOriginal, Error> {
    let mut out = Output {
        sink: Hashed::new(&mut file, hasher),
        fault: None,
    };
    let written = match recipients {
        Some(recipients) => seal(&mut out, recipients, full, empty),
        None => copy(&mut out, full, empty),
    };
    // What the writer did not take is thrown away.
    while let Ok(buffer) = full.recv() {
        let _ = empty.send(buffer);
    }
    let Output { sink, fault } = out;
    fault.map_or(written, Err)?;
    let bytes = sink.bytes();
    let sha256 = sink.finish()?;
    let (file, reservation) = file.into_parts();
    let recipients = recipients.map(Recipients::count);
    Ok(KeptOriginal {
        file,
        bytes,
        sha256,
        recipients,
        _reservation: reservation,
    })
}

fn seal(
    out: &mut Output<'_>,
    recipients: &Recipients,
    full: &Receiver<Vec<u8>>,
    empty: &Sender<Vec<u8>>,
) -> Result<(), Error> {
    let mut sealed = Stream::begin(out, recipients).map_err(Error::Original)?;
    copy(&mut sealed, full, empty)?;
    sealed.finish().map(drop).map_err(Error::Original)
}

fn copy(
    out: &mut impl Write,
    full: &Receiver<Vec<u8>>,
    empty: &Sender<Vec<u8>>,
) -> Result<(), Error> {
    while let Ok(buffer) = full.recv() {
        let written = out.write_all(&buffer);
        // Fails once nobody needs buffers any more.
        let _ = empty.send(buffer);
        written.map_err(Error::Original)?;
    }
    Ok(())
}

/// A sink for whoever knows only `Write`. Remembers why it failed.
struct Output<'a> {
    sink: Hashed<'a>,
    fault: Option<Error>,
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.sink.put(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.fault = Some(error);
                Err(io::ErrorKind::Other.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Space;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    /// With a disk that has plenty left so often as it is asked.
    fn keeper(file: File, plenty: u32, recipients: Option<Recipients>) -> Keeper {
        let left = AtomicU32::new(plenty);
        let take = |left: u32| left.checked_sub(1);
        let free = move || {
            Ok(left
                .fetch_update(Relaxed, Relaxed, take)
                .map_or(0, |_| u64::MAX))
        };
        let reservation = Arc::new(Space::new(0, free)).reserve(0).unwrap();
        Keeper::spawn(
            ArchiveFile::new(file, "original".into(), reservation),
            recipients,
        )
        .unwrap()
    }

    fn recipients() -> Recipients {
        Recipients::parse(&[age::x25519::Identity::generate().to_public().to_string()]).unwrap()
    }

    #[test]
    fn a_disk_that_is_full_while_sealing_never_blocks_the_writer() {
        let full = || File::options().write(true).open("/dev/full").unwrap();
        let piece = vec![7; 1 << 20];
        let fresh = || tempfile::tempfile().unwrap();
        for recipients in [None, Some(recipients())] {
            // The filesystem says so, or what must stay free does: at once, or later.
            for (file, plenty) in [(full(), u32::MAX), (fresh(), 1), (fresh(), 2)] {
                let keeper = keeper(file, plenty, recipients.clone());
                (0..40).for_each(|_| keeper.put(&piece));
                match keeper.finish().unwrap_err() {
                    Error::Seal(cause) => {
                        let expected = matches!(*cause, Error::Full { .. } | Error::NoSpace { .. });
                        assert!(expected, "{cause}");
                    }
                    other => panic!("{other}"),
                }
            }
        }
    }

    #[test]
    fn one_that_is_given_up_ends_with_its_thread_and_its_reservation() {
        let space = Arc::new(Space::new(0, || Ok(100 << 20)));
        let file = ArchiveFile::new(
            tempfile::tempfile().unwrap(),
            "original".into(),
            space.reserve(60 << 20).unwrap(),
        );
        let keeper = Keeper::spawn(file, Some(recipients())).unwrap();
        keeper.put(&[7; 1000]);
        assert!(space.reserve(60 << 20).is_err());
        drop(keeper);
        space.reserve(60 << 20).unwrap();
    }
}
