//! Counts the calls that reach a node.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// A method of `runtime.v1.RuntimeService`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the method of that name")]
pub enum Method {
    Version,
    Status,
    ListPodSandbox,
    PodSandboxStatus,
    ListContainers,
    ContainerStatus,
    ContainerStats,
    CheckpointContainer,
    CheckpointPod,
}

/// The calls that the node has received since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    methods: BTreeMap<Method, Tally>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    received: usize,
    in_progress: usize,
    abandoned: usize,
}

impl Calls {
    /// The number of calls of `method`, whatever their outcome.
    pub fn of(&self, method: Method) -> usize {
        self.tally(method).received
    }

    /// The number of calls of all methods.
    pub fn total(&self) -> usize {
        self.methods.values().map(|tally| tally.received).sum()
    }

    /// The number of calls of `method` that have started and not ended.
    pub fn in_progress(&self, method: Method) -> usize {
        self.tally(method).in_progress
    }

    /// The number of calls of `method` that ended without an answer, because the caller cancelled, exceeded its deadline or
    /// disconnected.
    pub fn abandoned(&self, method: Method) -> usize {
        self.tally(method).abandoned
    }

    fn tally(&self, method: Method) -> Tally {
        self.methods.get(&method).copied().unwrap_or_default()
    }
}

/// Counts calls, and wakes the tasks that wait for one.
#[derive(Debug, Default)]
pub(crate) struct Counter(watch::Sender<Calls>);

impl Counter {
    pub(crate) fn start(&self, method: Method) -> Call {
        self.0.send_modify(|calls| {
            let tally = calls.methods.entry(method).or_default();
            tally.received += 1;
            tally.in_progress += 1;
        });
        Call {
            calls: self.0.clone(),
            method,
            answered: false,
        }
    }

    pub(crate) fn now(&self) -> Calls {
        self.0.borrow().clone()
    }

    pub(crate) async fn wait_for(&self, mut reached: impl FnMut(&Calls) -> bool) -> Calls {
        let mut calls = self.0.subscribe();
        match calls.wait_for(|calls| reached(calls)).await {
            Ok(calls) => calls.clone(),
            // The sender is `self`, so it outlives this wait.
            Err(_) => self.now(),
        }
    }
}

/// One call in progress. Dropped without [`Call::answered`], it counts as abandoned.
#[derive(Debug)]
pub(crate) struct Call {
    calls: watch::Sender<Calls>,
    method: Method,
    answered: bool,
}

impl Call {
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.calls.send_modify(|calls| {
            let tally = calls.methods.entry(self.method).or_default();
            tally.in_progress = tally.in_progress.saturating_sub(1);
            tally.abandoned += usize::from(!self.answered);
        });
    }
}
