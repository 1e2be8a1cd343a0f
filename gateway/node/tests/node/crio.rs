//! Tests CRI-O's manner of taking checkpoints.

use std::path::{Path, PathBuf};

use gateway_node::{ContainerSpec, Dialect, Fault, Gate, Moment, Pod};
use gateway_proto::v1::{ContainerState, ListContainersRequest};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tonic::Code;

use crate::fixture::{Fixture, children, state, until_state};

/// More than the capacity of a pipe.
const MORE: u64 = 4 << 20;

async fn crio() -> Fixture {
    let fixture = Fixture::start_as(Dialect::CriO).await;
    fixture.node.behave(Fault::ExtraPages(MORE));
    fixture
}

/// The folder through which the memory of every container goes.
fn copy_of(fixture: &Fixture, id: &str) -> PathBuf {
    let containers = fixture.path("state").join("containers");
    containers.join(id).join("userdata/checkpoint")
}

fn reader(location: &Path) -> pipe::Receiver {
    pipe::OpenOptions::new().open_receiver(location).unwrap()
}

/// Reads until the last writer has closed the FIFO.
async fn drain(reader: &mut pipe::Receiver) -> u64 {
    let mut archive = Vec::new();
    while archive.is_empty() {
        reader.readable().await.unwrap();
        // Before the writer has opened the FIFO, this is its end.
        reader.read_buf(&mut archive).await.unwrap();
    }
    reader.read_to_end(&mut archive).await.unwrap();
    archive.len() as u64
}

async fn call(fixture: &Fixture, id: &str, location: &Path) -> Result<(), tonic::Status> {
    fixture.checkpoint(id, location).await
}

#[tokio::test]
async fn a_container_stays_paused_until_its_archive_is_read() {
    let fixture = crio().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let location = fixture.fifo("archive");
    let mut end = reader(&location);
    let read = async {
        until_state(container.pid, |state| state == Some('T')).await;
        let mut first = [0; 512];
        end.readable().await.unwrap();
        end.read_exact(&mut first).await.unwrap();
        // The pipe is full again, and the writer waits.
        end.readable().await.unwrap();
        assert_eq!(state(container.pid), Some('T'));
        assert!(
            copy_of(&fixture, &container.id)
                .join("pages-1.img")
                .exists()
        );
        let mut client = fixture.client.clone();
        let listed = client.list_containers(ListContainersRequest::default());
        let listed = listed.await.unwrap().into_inner().containers;
        assert_eq!(listed[0].state, i32::from(ContainerState::ContainerRunning));
        drain(&mut end).await
    };
    let (done, read) = tokio::join!(call(&fixture, &container.id, &location), read);
    done.unwrap();
    assert!(read > MORE);
    until_state(container.pid, |state| state != Some('T')).await;
    assert!(!copy_of(&fixture, &container.id).exists());
}

#[tokio::test]
async fn a_dead_reader_leaves_the_container_paused_until_another_drains() {
    let fixture = crio().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let location = fixture.fifo("archive");
    let mut first = reader(&location);
    let others = async {
        while first.read(&mut [0; 4096]).await.unwrap() == 0 {
            first.readable().await.unwrap();
        }
        drop(first);
        // It holds the reading end itself, so it gets no EPIPE.
        assert_eq!(state(container.pid), Some('T'));
        drain(&mut reader(&location)).await
    };
    let (done, _) = tokio::join!(call(&fixture, &container.id, &location), others);
    done.unwrap();
    until_state(container.pid, |state| state != Some('T')).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_changes_nothing() {
    let fixture = crio().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let location = fixture.fifo("archive");
    let mut end = reader(&location);
    {
        let call = call(&fixture, &container.id, &location);
        tokio::pin!(call);
        tokio::select! {
            done = &mut call => panic!("{done:?}"),
            ready = end.readable() => ready.unwrap(),
        }
    }
    assert!(drain(&mut end).await > MORE);
    until_state(container.pid, |state| state != Some('T')).await;
}

#[tokio::test]
async fn a_failed_export_leaves_the_memory_on_the_node() {
    let fixture = Fixture::start_as(Dialect::CriO).await;
    let (_, container) = fixture.run_idle("cart-0").await;
    fixture.node.behave(Fault::DiskFullAfter(4096));
    let path = fixture.path("archive.tar");
    let (code, text) = fixture.refusal(&container.id, &path).await;
    assert_eq!(code, Code::Unknown);
    assert!(text.contains("no space left on device"), "{text}");
    until_state(container.pid, |state| state != Some('T')).await;
    assert!(
        copy_of(&fixture, &container.id)
            .join("pages-1.img")
            .exists()
    );
    // The next one begins anew, and leaves nothing.
    fixture.node.behave(gateway_node::Behaviour::normal());
    fixture.checkpoint(&container.id, &path).await.unwrap();
    assert!(!copy_of(&fixture, &container.id).exists());
}

#[tokio::test]
async fn a_paused_container_is_reported_as_not_running() {
    let fixture = Fixture::start_as(Dialect::CriO).await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let gate = Gate::closed();
    fixture
        .node
        .behave(Fault::Hold(Moment::AfterDump, gate.clone()));
    let (one, other) = (fixture.path("one.tar"), fixture.path("other.tar"));
    let second = async {
        gate.arrived(1).await;
        assert_eq!(state(container.pid), Some('T'));
        let refused = fixture.refusal(&container.id, &other).await;
        gate.open();
        refused
    };
    let (done, (code, text)) = tokio::join!(call(&fixture, &container.id, &one), second);
    // The first is not disturbed.
    done.unwrap();
    assert_eq!(code, Code::Unknown);
    assert!(text.ends_with("is not running"), "{text}");
}

#[tokio::test]
async fn every_process_is_paused_while_the_archive_is_written() {
    let fixture = Fixture::start_as(Dialect::CriO).await;
    let script = "sleep 100000 & wait";
    let spec = ContainerSpec::new("app", ["/bin/sh", "-c", script]);
    let pod = Pod::new("shop", "cart-0", [spec]);
    let container = fixture
        .node
        .run_pod(pod)
        .await
        .unwrap()
        .containers
        .remove(0);
    while children(container.pid).is_empty() {
        tokio::task::yield_now().await;
    }
    let child = children(container.pid)[0];
    let gate = Gate::closed();
    fixture
        .node
        .behave(Fault::Hold(Moment::AfterDump, gate.clone()));
    let location = fixture.path("archive.tar");
    let check = async {
        gate.arrived(1).await;
        assert_eq!((state(container.pid), state(child)), (Some('T'), Some('T')));
        gate.open();
    };
    let (done, ()) = tokio::join!(call(&fixture, &container.id, &location), check);
    done.unwrap();
    until_state(child, |state| state != Some('T')).await;
}
