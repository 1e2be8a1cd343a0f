//! Orders processes as a tree.

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::Process;

/// Deeper processes are not indented further.
const MAX_DEPTH: usize = 30;

/// The processes in the order of a tree, each with its depth. Each is listed once, even if the archive says that processes
/// are one another's parents.
pub(super) fn in_order(processes: &[Process]) -> Vec<(usize, &Process)> {
    let pids: BTreeSet<_> = processes.iter().map(|process| process.pid).collect();
    let mut children: BTreeMap<u64, Vec<&Process>> = BTreeMap::new();
    for process in processes {
        children.entry(process.parent).or_default().push(process);
    }
    let is_root =
        |process: &&Process| process.parent == process.pid || !pids.contains(&process.parent);
    let roots = processes.iter().filter(is_root);
    let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
    // Processes in a circle have no root; they come last.
    for start in roots.chain(processes) {
        let mut open = vec![(0, start)];
        while let Some((depth, process)) = open.pop() {
            if !seen.insert(process.pid) {
                continue;
            }
            order.push((depth, process));
            let below = children.get(&process.pid).into_iter().flatten().rev();
            open.extend(below.map(|child| ((depth + 1).min(MAX_DEPTH), *child)));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(processes: &[(u64, u64)]) -> Vec<(usize, u64)> {
        let processes: Vec<_> = processes
            .iter()
            .map(|(pid, parent)| Process {
                pid: *pid,
                parent: *parent,
                ..Process::default()
            })
            .collect();
        in_order(&processes)
            .into_iter()
            .map(|(depth, process)| (depth, process.pid))
            .collect()
    }

    #[test]
    fn lists_children_below_their_parents() {
        assert_eq!(
            order(&[(1, 0), (5, 1), (6, 1), (7, 5)]),
            [(0, 1), (1, 5), (2, 7), (1, 6)]
        );
        assert_eq!(
            order(&[(3, 9), (4, 3)]),
            [(0, 3), (1, 4)],
            "a parent outside of the archive"
        );
    }

    #[test]
    fn lists_each_process_of_a_circle_or_long_chain_once() {
        assert_eq!(order(&[(1, 2), (2, 1), (3, 3)]), [(0, 3), (0, 1), (1, 2)]);
        let chain: Vec<_> = (1..10_000).map(|pid| (pid, pid - 1)).collect();
        assert_eq!(order(&chain).len(), 9_999);
    }
}
