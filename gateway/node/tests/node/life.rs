//! Tests the life of pods and containers.

use gateway_node::{ContainerSpec, Error, Pod};
use gateway_proto::v1::{ContainerState, ListContainersRequest, ListPodSandboxRequest};
use tonic::Code;

use crate::fixture::{Fixture, children, state, until_state};

#[tokio::test]
async fn the_container_runs_after_a_checkpoint() {
    let fixture = Fixture::start().await;
    let (pod, mut echo) = fixture.run_echo().await;
    let container = pod.container("app").unwrap();
    for round in ["once", "again"] {
        fixture
            .checkpoint(&container.id, &fixture.path(round))
            .await
            .unwrap();
        assert_eq!(echo.say(round).await, format!("heard {round}"));
    }
    until_state(children(container.pid)[0], |state| state == Some('S')).await;
}

#[tokio::test]
async fn the_container_runs_after_a_failed_checkpoint() {
    let fixture = Fixture::start().await;
    let (pod, mut echo) = fixture.run_echo().await;
    let missing = fixture.path("no-such-folder/archive.tar");
    let (code, text) = fixture.refusal(&pod.containers[0].id, &missing).await;
    assert_eq!(code, Code::Unknown);
    assert!(
        text.ends_with("archive.tar: no such file or directory"),
        "{text}"
    );
    assert_eq!(echo.say("still there").await, "heard still there");
}

#[tokio::test]
async fn no_process_outlives_the_node() {
    let fixture = Fixture::start().await;
    let (pod, _echo) = fixture.run_echo().await;
    let pid = pod.containers[0].pid;
    let child = children(pid)[0];
    let socket = fixture.node.socket().to_owned();
    fixture.node.stop().await;
    assert_eq!(state(pid), None);
    // init reaps the child, so it may stay a zombie for a while.
    until_state(child, |state| matches!(state, None | Some('Z' | 'X'))).await;
    assert!(!socket.exists());
}

#[tokio::test]
async fn an_exited_container_is_listed_and_not_checkpointed() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    fixture.node.stop_container(&container.id).unwrap();
    assert_eq!(
        fixture.node.wait_for_exit(&container.id).await.unwrap(),
        128 + 9
    );
    let listed = fixture
        .client
        .clone()
        .list_containers(ListContainersRequest::default())
        .await
        .unwrap();
    assert_eq!(
        listed.into_inner().containers[0].state(),
        ContainerState::ContainerExited
    );
    let (code, text) = fixture
        .refusal(&container.id, &fixture.path("archive.tar"))
        .await;
    assert_eq!(code, Code::Unknown);
    assert!(text.contains("is in CONTAINER_EXITED state"), "{text}");
    assert!(!fixture.path("archive.tar").exists());
}

#[tokio::test]
async fn an_ended_container_has_its_exit_code() {
    let fixture = Fixture::start().await;
    let spec = ContainerSpec::new("job", ["/bin/sh", "-c", "exit 7"]);
    let pod = fixture
        .node
        .run_pod(Pod::new("shop", "job-1", [spec]))
        .await
        .unwrap();
    assert_eq!(
        fixture
            .node
            .wait_for_exit(&pod.containers[0].id)
            .await
            .unwrap(),
        7
    );
}

#[tokio::test]
async fn a_pod_that_cannot_start_leaves_nothing_behind() {
    let fixture = Fixture::start().await;
    let good = ContainerSpec::new("good", ["/bin/sleep", "100000"]);
    let bad = ContainerSpec::new("bad", ["/no/such/program"]);
    let none = ContainerSpec::new("none", Vec::<String>::new());
    let pod = Pod::new("shop", "cart-0", [good.clone(), bad]);
    assert!(
        matches!(fixture.node.run_pod(pod).await, Err(Error::Spawn { container, .. }) if container == "bad")
    );
    let pod = Pod::new("shop", "cart-0", [good, none]);
    assert!(matches!(
        fixture.node.run_pod(pod).await,
        Err(Error::NoCommand { .. })
    ));
    let mut client = fixture.client.clone();
    assert!(
        client
            .list_containers(ListContainersRequest::default())
            .await
            .unwrap()
            .into_inner()
            .containers
            .is_empty()
    );
    assert!(
        client
            .list_pod_sandbox(ListPodSandboxRequest::default())
            .await
            .unwrap()
            .into_inner()
            .items
            .is_empty()
    );
}

#[tokio::test]
async fn refuses_files_outside_the_working_directory() {
    let fixture = Fixture::start().await;
    for name in ["/tmp/outside", "../outside", "a/../../outside"] {
        let mut spec = ContainerSpec::new("app", ["/bin/sleep", "100000"]);
        spec.files.insert(name.into(), Vec::new());
        let refused = fixture
            .node
            .run_pod(Pod::new("shop", "cart-0", [spec]))
            .await;
        assert!(matches!(refused, Err(Error::State { .. })), "{name}");
    }
}

#[tokio::test]
async fn a_restarted_container_has_a_new_id_and_attempt() {
    let fixture = Fixture::start().await;
    let (pod, first) = fixture.run_idle("cart-0").await;
    fixture.node.stop_container(&first.id).unwrap();
    let spec = ContainerSpec::new("app", ["/bin/sleep", "100000"]);
    let second = fixture
        .node
        .add_container(&pod.sandbox_id, spec)
        .await
        .unwrap();
    assert_ne!(first.id, second.id);
    let listed = fixture
        .client
        .clone()
        .list_containers(ListContainersRequest::default())
        .await
        .unwrap();
    let attempts: Vec<_> = listed
        .into_inner()
        .containers
        .into_iter()
        .map(|found| found.metadata.unwrap().attempt)
        .collect();
    assert_eq!(attempts, [0, 1]);
}

#[tokio::test]
async fn removing_a_pod_ends_its_processes() {
    let fixture = Fixture::start().await;
    let (pod, container) = fixture.run_idle("cart-0").await;
    fixture.node.remove_pod(&pod.sandbox_id).unwrap();
    assert_eq!(state(container.pid), None);
    assert_eq!(
        fixture
            .refusal(&container.id, &fixture.path("archive.tar"))
            .await
            .0,
        Code::NotFound
    );
    assert!(matches!(
        fixture.node.remove_pod(&pod.sandbox_id),
        Err(Error::Unknown { .. })
    ));
}
