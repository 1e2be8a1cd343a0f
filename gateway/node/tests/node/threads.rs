//! Tests that every thread and every process that has ended has a core image.

use gateway_node::{ContainerSpec, Pod};
use prost::Message;

use crate::archive::Archive;
use crate::fixture::{Fixture, children, state, until};

/// Set in the environment of a container that runs this test program.
const IN_CONTAINER: &str = "GATEWAY_NODE_TEST_CONTAINER";

// CRIU's field numbers, repeated here so that they are independent of the code under test.
#[derive(Clone, PartialEq, Message)]
struct Process {
    #[prost(uint32, tag = "1")]
    pid: u32,
    #[prost(uint32, repeated, tag = "5")]
    threads: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Core {
    #[prost(message, optional, tag = "3")]
    task: Option<Task>,
}

#[derive(Clone, PartialEq, Message)]
struct Task {
    #[prost(uint32, tag = "1")]
    state: u32,
}

/// The processes in an archive of a container that runs `spec`, once `ready` says that it can be checkpointed.
async fn dumped(spec: ContainerSpec, ready: impl Fn(u32) -> bool) -> (Archive, Vec<Process>) {
    let fixture = Fixture::start().await;
    let pod = fixture.node.run_pod(Pod::new("shop", "cart-0", [spec]));
    let pod = pod.await.unwrap();
    let container = pod.container("app").unwrap();
    until(|| ready(container.pid)).await;
    let location = fixture.path("archive.tar");
    fixture.checkpoint(&container.id, &location).await.unwrap();
    let archive = Archive::read(&location);
    let (_, entries) = archive.image("checkpoint/pstree.img", 2);
    let entries = entries.into_iter().map(Process::decode);
    let processes = entries.collect::<Result<_, _>>().unwrap();
    (archive, processes)
}

fn task_state(archive: &Archive, id: u32) -> Option<u32> {
    let (_, entries) = archive.image(&format!("checkpoint/core-{id}.img"), 2);
    let core = Core::decode(entries[0]).unwrap();
    core.task.map(|task| task.state)
}

fn threads(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

/// The container of the next test: libtest runs it on a thread of its own.
#[test]
fn waits_on_a_second_thread_in_a_container() {
    while std::env::var_os(IN_CONTAINER).is_some() {
        std::thread::park();
    }
}

#[tokio::test]
async fn each_thread_has_a_core_of_its_own() {
    let program = std::env::current_exe().unwrap().display().to_string();
    let test = "threads::waits_on_a_second_thread_in_a_container";
    let command = [program.as_str(), "--exact", test, "--test-threads=2"];
    let spec = ContainerSpec::new("app", command).env(IN_CONTAINER, "1");
    let (archive, processes) = dumped(spec, |pid| threads(pid) == 2).await;
    let [process] = processes.as_slice() else {
        panic!("{processes:?}");
    };
    assert_eq!(process.threads.len(), 2);
    assert_eq!(process.threads[0], process.pid);
    assert_eq!(task_state(&archive, process.threads[0]), Some(1));
    assert_eq!(task_state(&archive, process.threads[1]), None);
}

#[tokio::test]
async fn a_zombie_has_its_core_alone() {
    // `sleep` inherits a child that it does not wait for.
    let command = ["/bin/sh", "-c", "/bin/true & exec /bin/sleep 100000"];
    let zombies = |pid| {
        let mut children = children(pid);
        children.retain(|child| state(*child) == Some('Z'));
        children
    };
    let spec = ContainerSpec::new("app", command);
    let (archive, processes) = dumped(spec, |pid| zombies(pid).len() == 1).await;
    let [parent, zombie] = processes.as_slice() else {
        panic!("{processes:?}");
    };
    assert_eq!(task_state(&archive, parent.pid), Some(1));
    assert_eq!(task_state(&archive, zombie.pid), Some(2));
    let of_zombie = format!("-{}.img", zombie.pid);
    let mut images = archive.names.iter();
    images
        .by_ref()
        .find(|name| name.ends_with(&of_zombie))
        .unwrap();
    assert_eq!(images.find(|name| name.ends_with(&of_zombie)), None);
}
