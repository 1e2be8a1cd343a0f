//! Tests every fault that can be injected.

use std::time::Duration;

use gateway_node::{Behaviour, Fault, Gate, Method, Moment};
use gateway_proto::v1::{CheckpointContainerRequest, ListContainersRequest, VersionRequest};
use tokio::time::Instant;
use tonic::{Code, Request};

use crate::fixture::{Fixture, until_state};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test(start_paused = true)]
async fn waits_before_the_dump() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    fixture.node.behave(Fault::Wait(Moment::BeforeDump, HOUR));
    let begun = Instant::now();
    fixture
        .checkpoint(&container.id, &fixture.path("archive.tar"))
        .await
        .unwrap();
    assert!(begun.elapsed() >= HOUR);
}

#[tokio::test(start_paused = true)]
async fn waits_between_chunks() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    fixture
        .node
        .behave(Behaviour::from(Fault::WaitBetweenChunks(HOUR)).with(Fault::ExtraPages(640 << 10)));
    let begun = Instant::now();
    fixture
        .checkpoint(&container.id, &fixture.path("archive.tar"))
        .await
        .unwrap();
    assert!(begun.elapsed() >= 10 * HOUR);
}

#[tokio::test]
async fn a_closed_gate_holds_a_call_until_it_is_opened() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let gate = Gate::closed();
    fixture
        .node
        .behave(Fault::Hold(Moment::BeforeDump, gate.clone()));
    let location = fixture.path("archive.tar");
    let release = async {
        gate.arrived(1).await;
        let calls = fixture.node.calls();
        assert_eq!(calls.in_progress(Method::CheckpointContainer), 1);
        assert_eq!(calls.of(Method::CheckpointContainer), 1);
        gate.open();
    };
    let (done, ()) = tokio::join!(fixture.checkpoint(&container.id, &location), release);
    done.unwrap();
    assert_eq!(
        fixture
            .node
            .calls()
            .in_progress(Method::CheckpointContainer),
        0
    );
}

#[tokio::test]
async fn concurrent_checkpoints_of_one_container_both_fail() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let gate = Gate::closed();
    fixture
        .node
        .behave(Fault::Hold(Moment::BeforeDump, gate.clone()));
    let (one, other) = (fixture.path("one.tar"), fixture.path("other.tar"));
    let second = async {
        gate.arrived(1).await;
        let refusal = fixture.refusal(&container.id, &other).await;
        gate.open();
        refusal
    };
    let (first, second) = tokio::join!(fixture.refusal(&container.id, &one), second);
    assert_eq!((first.0, second.0), (Code::Unknown, Code::Unknown));
    assert!(
        second.1.ends_with("cannot pause a paused container"),
        "{}",
        second.1
    );
    assert!(
        first.1.ends_with("no such file or directory"),
        "{}",
        first.1
    );
    fixture.checkpoint(&container.id, &one).await.unwrap();
}

#[tokio::test]
async fn fails_before_the_dump_with_any_code_and_text() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let text = "CRIU binary not found or too old";
    fixture.node.behave(Fault::Fail(
        Moment::BeforeDump,
        Code::Unknown,
        text.to_owned(),
    ));
    let location = fixture.path("archive.tar");
    assert_eq!(
        fixture.refusal(&container.id, &location).await,
        (Code::Unknown, text.to_owned())
    );
    assert!(!location.exists());
    fixture.node.behave(Behaviour::normal());
    fixture.checkpoint(&container.id, &location).await.unwrap();
}

#[tokio::test]
async fn fails_after_a_complete_archive() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    fixture.node.behave(Fault::Fail(
        Moment::AfterArchive,
        Code::Internal,
        "late".to_owned(),
    ));
    let location = fixture.path("archive.tar");
    assert_eq!(
        fixture.refusal(&container.id, &location).await,
        (Code::Internal, "late".to_owned())
    );
    let archive = std::fs::read(&location).unwrap();
    assert!(archive.ends_with(&[0; 1024]));
}

#[tokio::test]
async fn can_lack_the_checkpoint_rpc() {
    let fixture = Fixture::start().await;
    fixture.node.behave(Fault::NoCheckpoint);
    let (code, text) = fixture
        .refusal("whatever", &fixture.path("archive.tar"))
        .await;
    assert_eq!(
        (code, text.as_str()),
        (
            Code::Unimplemented,
            "method CheckpointContainer not implemented"
        )
    );
    assert_eq!(fixture.node.checkpoint_calls(), 1);
}

#[tokio::test]
async fn any_method_can_fail() {
    let fixture = Fixture::start().await;
    let moment = Moment::Call(Method::ListContainers);
    fixture.node.behave(Fault::Fail(
        moment,
        Code::Unavailable,
        "starting".to_owned(),
    ));
    let mut client = fixture.client.clone();
    let answer = client
        .list_containers(ListContainersRequest::default())
        .await
        .unwrap_err();
    assert_eq!(
        (answer.code(), answer.message()),
        (Code::Unavailable, "starting")
    );
    client.version(VersionRequest::default()).await.unwrap();
}

#[tokio::test]
async fn aborts_the_connection_within_the_archive() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    fixture.node.behave(Fault::AbortConnectionAfter(5000));
    let location = fixture.path("archive.tar");
    let status = fixture
        .checkpoint(&container.id, &location)
        .await
        .unwrap_err();
    assert_ne!(
        status.message(),
        "the connection is cut",
        "the answer must not arrive"
    );
    assert_eq!(location.metadata().unwrap().len(), 5000);
    fixture.node.behave(Behaviour::normal());
    fixture.checkpoint(&container.id, &location).await.unwrap();
}

#[tokio::test]
async fn leaves_a_partial_file_on_a_full_disk() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    for bytes in [0, 5000] {
        fixture.node.behave(Fault::DiskFullAfter(bytes));
        let location = fixture.path(&format!("{bytes}.tar"));
        let (code, text) = fixture.refusal(&container.id, &location).await;
        assert_eq!(code, Code::Unknown);
        assert!(text.ends_with(": no space left on device"), "{text}");
        assert_eq!(location.metadata().unwrap().len(), bytes);
    }
}

#[tokio::test]
async fn extra_pages_enlarge_the_archive() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let mut sizes = Vec::new();
    for extra in [0, 5_000_000] {
        fixture.node.behave(Fault::ExtraPages(extra));
        let location = fixture.path(&format!("{extra}.tar"));
        fixture.checkpoint(&container.id, &location).await.unwrap();
        sizes.push(location.metadata().unwrap().len());
    }
    // The container's own pages may differ a little from one checkpoint to the next.
    assert!(
        (sizes[1] - sizes[0]).abs_diff(5_000_000) < 100_000,
        "{sizes:?}"
    );
}

#[tokio::test]
async fn counts_an_abandoned_checkpoint_and_thaws_the_container() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    abandon(&fixture, &container.id, Behaviour::normal()).await;
    until_state(container.pid, |state| state == Some('S')).await;
}

#[tokio::test]
async fn an_abandoned_checkpoint_can_leave_the_container_frozen() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    abandon(&fixture, &container.id, Fault::FreezeWhenAbandoned.into()).await;
    until_state(container.pid, |state| state == Some('T')).await;
    // Not even the next checkpoint thaws it.
    fixture.node.behave(Behaviour::normal());
    fixture
        .checkpoint(&container.id, &fixture.path("archive.tar"))
        .await
        .unwrap();
    until_state(container.pid, |state| state == Some('T')).await;
}

/// Requests a checkpoint and disconnects while it is held between dump and archive.
async fn abandon(fixture: &Fixture, id: &str, behaviour: Behaviour) {
    let gate = Gate::closed();
    fixture
        .node
        .behave(behaviour.with(Fault::Hold(Moment::AfterDump, gate.clone())));
    let location = fixture.path("abandoned.tar");
    tokio::select! {
        _ = fixture.checkpoint(id, &location) => panic!("it is held"),
        () = gate.arrived(1) => {}
    }
    let calls = fixture
        .node
        .wait_for_calls(|calls| calls.abandoned(Method::CheckpointContainer) == 1)
        .await;
    assert_eq!(calls.in_progress(Method::CheckpointContainer), 0);
}

#[tokio::test]
async fn returns_the_metadata_of_the_last_checkpoint() {
    let fixture = Fixture::start().await;
    assert!(fixture.node.last_metadata().is_none());
    let mut request = Request::new(CheckpointContainerRequest::default());
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    request
        .metadata_mut()
        .insert("traceparent", parent.parse().unwrap());
    fixture
        .client
        .clone()
        .checkpoint_container(request)
        .await
        .unwrap_err();
    assert_eq!(
        fixture
            .node
            .last_metadata()
            .unwrap()
            .get("traceparent")
            .unwrap(),
        parent
    );
}

#[tokio::test]
async fn writes_another_archive_than_the_containers() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let other: std::sync::Arc<[u8]> = b"not this container's".as_slice().into();
    fixture.node.behave(Fault::OtherArchive(other.clone()));
    let location = fixture.path("archive.tar");
    fixture.checkpoint(&container.id, &location).await.unwrap();
    assert_eq!(std::fs::read(&location).unwrap(), other.as_ref());
}
