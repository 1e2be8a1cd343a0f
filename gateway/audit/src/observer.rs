use std::fmt::Debug;

/// Who is told what the log holds, once it does.
pub trait Observer: Debug + Send {
    /// These whole lines are in the log, durably, and follow those of the call before. Lines of the last run are not told
    /// again. Whoever waits for them waits for this, too: it must be quick, and must not panic.
    fn durable(&self, lines: &[u8]);
}
