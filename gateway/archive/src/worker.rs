use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, Builder};
use std::time::Duration;

use gateway_core::{Checkpoint, CheckpointId, Transport};
use gateway_redact::{Redaction, Redactor};
use rustix::fs::Stat;
use tokio::sync::oneshot;

use crate::drain::{Bounds, Drained, drain, throw_away};
use crate::fifo::{Fifo, Hold};
use crate::hasher::Hasher;
use crate::intake::About;
use crate::keeper::Keeper;
use crate::place::{LOCATION, Place, RECEIVED};
use crate::publish::{Archive, publish};
use crate::redacting::Redacting;
use crate::sink::{ArchiveFile, Kept};
use crate::store::Inner;
use crate::{Error, Reservation};

/// How long a writer that was given up may still be silent before the FIFO is let go of, and with it the hope that its
/// runtime unblocks. A bound, so that no number of broken runtimes keeps threads for ever.
const LINGER: Duration = Duration::from_mins(10);

/// What one thread is started for.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) inner: Arc<Inner>,
    pub(crate) reservation: Reservation,
    pub(crate) id: CheckpointId,
    pub(crate) transport: Transport,
    pub(crate) redaction: Option<Redaction>,
}

/// Where the runtime may write now.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) location: PathBuf,
    /// Dropped when the runtime has answered.
    pub(crate) hold: Option<Hold>,
}

/// A started thread's first answer, and the way to give it its order.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) ready: oneshot::Receiver<Result<Ready, Error>>,
    pub(crate) orders: oneshot::Sender<Order>,
}

/// What is to become of what came. No order at all means: discard it.
#[derive(Debug)]
pub(crate) enum Order {
    Publish(Box<About>, oneshot::Sender<Result<Checkpoint, Error>>),
    /// Answered with the number of bytes that had come.
    Discard(oneshot::Sender<u64>),
}

/// Serves one archive on a thread of its own, which does all that may block and outlives every waiter: where the runtime
/// may write comes back first, and the thread then waits for its order.
pub(crate) fn start(job: Job) -> Result<Started, Error> {
    let (prepared, ready) = oneshot::channel();
    let (orders, next_order) = oneshot::channel();
    let path = job.inner.directory.path().to_owned();
    Builder::new()
        .name("archive".to_owned())
        .spawn(move || match Work::prepare(job) {
            Ok((work, open)) => {
                // If nobody waits any more, the hold ends here and no order comes: the work discards itself.
                let _ = prepared.send(Ok(open));
                work.serve(next_order);
            }
            Err(error) => drop(prepared.send(Err(error))),
        })
        .map_err(Error::io("start a thread for an archive in", &path))?;
    Ok(Started { ready, orders })
}

struct Work {
    place: Place,
    source: Source,
    redacting: Option<Redacting>,
}

enum Source {
    Fifo {
        fifo: Fifo,
        hasher: Hasher,
        file: ArchiveFile,
    },
    File(Reservation),
}

/// What a source gave. The reservation lives until the place is gone, or published.
struct Received {
    fifo: Option<(Drained, File)>,
    reservation: Reservation,
    redacting: Option<Redacting>,
}

impl Work {
    fn prepare(job: Job) -> Result<(Self, Ready), Error> {
        let Job {
            inner,
            mut reservation,
            id,
            transport,
            redaction,
        } = job;
        // First of all: a plan that cannot be carried out must not touch the runtime.
        let redactor = redaction.map(Redactor::new).transpose()?;
        let patience = inner.settings.drain_timeout;
        let place = Place::make(inner, id)?;
        let location = place.location().to_owned();
        let redacting = match redactor {
            Some(redactor) => Some(Redacting::new(
                redactor,
                Keeper::start(&place, &mut reservation)?,
            )),
            None => None,
        };
        let (source, hold) = match transport {
            Transport::File => (Source::File(reservation), None),
            Transport::Fifo => {
                let hasher = start_hasher(&place)?;
                let file = ArchiveFile::new(
                    place.create(RECEIVED)?,
                    place.path_of(RECEIVED),
                    reservation,
                );
                let made = Fifo::create(place.fd(), LOCATION, patience);
                let (fifo, hold) = made.map_err(Error::io("make the FIFO", &location))?;
                (Source::Fifo { fifo, hasher, file }, Some(hold))
            }
        };
        Ok((
            Self {
                place,
                source,
                redacting,
            },
            Ready { location, hold },
        ))
    }

    fn serve(self, orders: oneshot::Receiver<Order>) {
        let Self {
            place,
            source,
            redacting,
        } = self;
        let (received, silent) = receive(&place, source, redacting);
        // Comes before or with the end of the hold.
        match orders.blocking_recv() {
            Ok(Order::Publish(about, reply)) => {
                let outcome = received
                    .into_archive(&place)
                    .and_then(|(archive, reservation)| {
                        publish(&place, &archive, reservation, &about)
                    });
                // First the traces, then the answer: whoever has it finds the store as it will be.
                drop(place);
                let _ = reply.send(outcome);
            }
            Ok(Order::Discard(reply)) => {
                let bytes = received.bytes(&place);
                drop((place, received));
                let _ = reply.send(bytes);
            }
            Err(_) => drop((place, received)),
        }
        if let Some(mut fifo) = silent {
            fifo.set_patience(LINGER);
            let _ = throw_away(&mut fifo, &mut 0);
        }
    }
}

impl Received {
    fn bytes(&self, place: &Place) -> u64 {
        match &self.fifo {
            Some((drained, _)) => drained.bytes,
            None => place.regular_file().unwrap_or_default(),
        }
    }

    /// The whole archive, from wherever the runtime wrote it.
    fn into_archive(self, place: &Place) -> Result<(Archive, Reservation), Error> {
        let Self {
            fifo,
            reservation,
            redacting,
        } = self;
        let archive = match fifo {
            Some((drained, file)) if drained.bytes > 0 || place.regular_file().is_none() => {
                Archive {
                    file,
                    name: RECEIVED,
                    bytes: redacting
                        .as_ref()
                        .map_or(drained.bytes, |redacting| redacting.bytes),
                    sha256: drained.sha256?,
                    transport: Transport::Fifo,
                    redaction: None,
                    original: None,
                }
            }
            from => {
                if from.is_some() {
                    // The runtime put a file in the FIFO's place: so it will do the next time.
                    place.inner().remember_refusal();
                }
                return match redacting {
                    Some(redacting) => redacting.adopt(place, reservation),
                    None => adopt(place).map(|archive| (archive, reservation)),
                };
            }
        };
        match redacting {
            Some(redacting) => redacting.complete(place, archive, reservation),
            None => Ok((archive, reservation)),
        }
    }
}

/// Waits until all has come. Where a writer was left that neither goes on nor finishes, its FIFO comes back.
fn receive(
    place: &Place,
    source: Source,
    mut redacting: Option<Redacting>,
) -> (Received, Option<Fifo>) {
    match source {
        Source::File(reservation) => (
            Received {
                fifo: None,
                reservation,
                redacting,
            },
            None,
        ),
        Source::Fifo {
            mut fifo,
            hasher,
            mut file,
        } => {
            let drained = match &mut redacting {
                Some(redacting) => drained_whatever_happens(&mut fifo, |fifo| {
                    redacting.drain(fifo, &mut file, hasher, place)
                }),
                None => drain(
                    &mut fifo,
                    &mut file,
                    hasher,
                    bounds(place),
                    place.location(),
                ),
            };
            let silent = drained.silent.then_some(fifo);
            let (file, reservation) = file.into_parts();
            (
                Received {
                    fifo: Some((drained, file)),
                    reservation,
                    redacting,
                },
                silent,
            )
        }
    }
}

/// A defect in what looks into hostile archives must not leave the runtime blocked, and its container frozen: after a panic
/// the rest is read and thrown away, and nothing is kept.
fn drained_whatever_happens<R: Read>(
    source: &mut R,
    drain: impl FnOnce(&mut R) -> Drained,
) -> Drained {
    catch_unwind(AssertUnwindSafe(|| drain(source))).unwrap_or_else(|_| {
        let mut bytes = 1; // something came: this is no runtime that put a file in the FIFO's place
        let end = throw_away(source, &mut bytes);
        let silent = end.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        Drained {
            bytes,
            sha256: Err(Error::Worker),
            silent,
        }
    })
}

/// Takes the runtime's own file as it is: one pass for the digest while the disk writes it, no copy.
fn adopt(place: &Place) -> Result<Archive, Error> {
    let (mut file, before) = place.open_location()?;
    let unsynced = file
        .try_clone()
        .map_err(Error::io("open", place.location()))?;
    let hasher = start_hasher(place)?;
    let drained = thread::scope(|scope| {
        let sync = Builder::new()
            .name("archive-sync".to_owned())
            .spawn_scoped(scope, || unsynced.sync_data());
        let drained = drain(
            &mut file,
            &mut Kept,
            hasher,
            bounds(place),
            place.location(),
        );
        // A failed write is told to one sync only, so this one's word counts.
        let synced = sync.and_then(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
        });
        synced
            .map(|()| drained)
            .map_err(Error::io("sync", place.location()))
    })?;
    let sha256 = drained.sha256?;
    let after = rustix::fs::fstat(&file).map_err(Error::io("look at", place.location()))?;
    if !untouched(&before, &after, drained.bytes) {
        return Err(Error::Changed {
            path: place.location().to_owned(),
        });
    }
    Ok(Archive {
        file,
        name: LOCATION,
        bytes: drained.bytes,
        sha256,
        transport: Transport::File,
        redaction: None,
        original: None,
    })
}

/// Whether a file of which `read` bytes were read was the same file before and after.
pub(crate) fn untouched(before: &Stat, after: &Stat, read: u64) -> bool {
    let written_at = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec);
    u64::try_from(after.st_size) == Ok(read) && written_at(before) == written_at(after)
}

pub(crate) fn bounds(place: &Place) -> Bounds {
    let settings = &place.inner().settings;
    Bounds {
        max_bytes: settings.max_bytes,
        patience: settings.drain_timeout,
    }
}

pub(crate) fn start_hasher(place: &Place) -> Result<Hasher, Error> {
    Hasher::start().map_err(Error::io("start a thread for", place.location()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::SystemTime;

    #[test]
    fn a_source_is_read_to_its_end_even_where_what_reads_it_breaks() {
        let bytes = vec![7; 100_000];
        let mut source = bytes.as_slice();
        let drained = drained_whatever_happens(&mut source, |source| {
            source.read_exact(&mut [0; 10]).unwrap();
            panic!("a defect");
        });
        assert!(source.is_empty());
        assert!(matches!(drained.sha256, Err(Error::Worker)) && !drained.silent);
    }

    #[test]
    fn a_file_that_is_written_while_it_is_read_is_noticed() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"1234").unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let before = rustix::fs::fstat(&file).unwrap();
        assert!(untouched(&before, &before, 4));
        assert!(
            !untouched(&before, &before, 3),
            "more came after the last read"
        );
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_nanos(1))
            .unwrap();
        let after = rustix::fs::fstat(&file).unwrap();
        assert!(
            !untouched(&before, &after, 4),
            "what was read already was overwritten"
        );
    }
}
