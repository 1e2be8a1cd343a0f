//! The time that the steps of taking one archive in took.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;

/// A step of taking an archive in. Steps of one archive run beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Reading what the runtime writes, and waiting for it.
    Receive,
    /// Searching and masking.
    Redact,
    /// Computing a digest.
    Hash,
    /// Encrypting.
    Seal,
    /// Writing to the file system.
    Write,
    /// The last look at what is to be published.
    Check,
    /// Waiting until the disk has everything.
    Sync,
    /// Making the files visible under their names.
    Publish,
}

/// The file that a step worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepFile {
    /// The archive that is published.
    Archive,
    /// The archive as the runtime wrote it, where that is kept.
    Original,
    /// The archive on its way, where the runtime is not to wait for redaction.
    Spool,
}

/// The time that one step took for one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepTime {
    /// The step.
    pub step: Step,
    /// The file.
    pub file: StepFile,
    /// The begin of the first piece of work.
    pub begun: SystemTime,
    /// The end of the last piece.
    pub ended: SystemTime,
    /// The time of all pieces of work, without the time between them.
    pub busy: Duration,
    /// The bytes that it took in.
    pub bytes: u64,
}

/// The steps of one archive that have ended. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Steps(Arc<Mutex<Vec<StepTime>>>);

/// Measures one step; dropped, it reports to [`Steps`], unless the step never began.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    steps: Steps,
    step: Step,
    file: StepFile,
    lasted: Option<(SystemTime, SystemTime)>,
    busy: Duration,
    bytes: u64,
}

impl Step {
    /// The name in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Redact => "redact",
            Self::Hash => "hash",
            Self::Seal => "seal",
            Self::Write => "write",
            Self::Check => "check",
            Self::Sync => "sync",
            Self::Publish => "publish",
        }
    }
}

impl StepFile {
    /// The name in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Original => "original",
            Self::Spool => "spool",
        }
    }
}

impl Steps {
    /// The steps that have ended since the last call, in the order in which they began.
    pub fn take(&self) -> Vec<StepTime> {
        let mut steps = std::mem::take(&mut *self.0.lock());
        steps.sort_by_key(|step| step.begun);
        steps
    }

    pub(crate) fn watch(&self, step: Step, file: StepFile) -> Stopwatch {
        Stopwatch {
            steps: self.clone(),
            step,
            file,
            lasted: None,
            busy: Duration::ZERO,
            bytes: 0,
        }
    }
}

impl Stopwatch {
    /// Measures one piece of work.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (at, began) = (SystemTime::now(), Instant::now());
        let done = work();
        let took = began.elapsed();
        let first = self.lasted.map_or(at, |(first, _)| first);
        self.lasted = Some((first, at + took));
        self.busy += took;
        done
    }

    /// Counts bytes that the step took in.
    pub(crate) fn count(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Takes time off that passed in another step.
    pub(crate) fn exclude(&mut self, time: Duration) {
        self.busy = self.busy.saturating_sub(time);
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        if let Some((begun, ended)) = self.lasted {
            self.steps.0.lock().push(StepTime {
                step: self.step,
                file: self.file,
                begun,
                ended,
                busy: self.busy,
                bytes: self.bytes,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_each_step_once_with_all_its_pieces() {
        let steps = Steps::default();
        let mut watch = steps.watch(Step::Hash, StepFile::Original);
        for bytes in [3, 4] {
            watch.time(|| std::hint::black_box(bytes));
            watch.count(bytes);
        }
        assert_eq!(steps.take(), []);
        drop(watch);
        let [hash] = steps.take().try_into().unwrap();
        assert_eq!(
            (hash.step, hash.file, hash.bytes),
            (Step::Hash, StepFile::Original, 7)
        );
        assert!(hash.begun <= hash.ended && hash.busy > Duration::ZERO);
        assert_eq!(steps.take(), []);
    }

    #[test]
    fn a_step_that_never_began_is_not_reported() {
        let steps = Steps::default();
        drop(steps.watch(Step::Seal, StepFile::Archive));
        assert_eq!(steps.take(), []);
    }
}
