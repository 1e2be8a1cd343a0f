//! Tests the answers of all methods but the checkpoint.

use std::collections::HashMap;

use gateway_node::{ContainerSpec, Method, Pod};
use gateway_proto::v1::{
    CheckpointPodRequest, ContainerFilter, ContainerState, ContainerStateValue,
    ContainerStatsRequest, ContainerStatusRequest, ListContainersRequest, ListPodSandboxRequest,
    PodSandboxFilter, PodSandboxStatusRequest, StatusRequest, VersionRequest,
};
use tonic::Code;

use crate::fixture::{Fixture, SECRET};

async fn found(fixture: &Fixture, filter: ContainerFilter) -> Vec<String> {
    let request = ListContainersRequest {
        filter: Some(filter),
    };
    let listed = fixture
        .client
        .clone()
        .list_containers(request)
        .await
        .unwrap()
        .into_inner();
    listed
        .containers
        .into_iter()
        .map(|container| container.id)
        .collect()
}

fn labels(pod: &str) -> ContainerFilter {
    let pairs = [
        ("io.kubernetes.pod.namespace", "shop"),
        ("io.kubernetes.pod.name", pod),
        ("io.kubernetes.container.name", "app"),
    ];
    ContainerFilter {
        label_selector: HashMap::from(pairs.map(|(key, value)| (key.to_owned(), value.to_owned()))),
        ..ContainerFilter::default()
    }
}

#[tokio::test]
async fn finds_a_container_by_kubernetes_labels() {
    let fixture = Fixture::start().await;
    let (_, one) = fixture.run_idle("cart-0").await;
    let (_, other) = fixture.run_idle("cart-1").await;
    assert_eq!(
        found(&fixture, ContainerFilter::default()).await,
        [one.id.clone(), other.id.clone()]
    );
    assert_eq!(found(&fixture, labels("cart-0")).await, [one.id]);
    assert_eq!(found(&fixture, labels("cart-1")).await, [other.id]);
    assert!(found(&fixture, labels("cart-2")).await.is_empty());
}

#[tokio::test]
async fn every_part_of_a_filter_must_match() {
    let fixture = Fixture::start().await;
    let (pod, container) = fixture.run_idle("cart-0").await;
    let (other, _) = fixture.run_idle("cart-1").await;
    let filter = |id: &str, sandbox: &str, state: ContainerState| ContainerFilter {
        id: id.to_owned(),
        pod_sandbox_id: sandbox.to_owned(),
        state: Some(ContainerStateValue {
            state: state.into(),
        }),
        ..labels("cart-0")
    };
    let (running, exited) = (
        ContainerState::ContainerRunning,
        ContainerState::ContainerExited,
    );
    for (filter, matches) in [
        (filter(&container.id, &pod.sandbox_id, running), true),
        (
            filter(&container.id[..12], &pod.sandbox_id[..12], running),
            true,
        ),
        (filter(&container.id, &other.sandbox_id, running), false),
        (filter("no-such-id", &pod.sandbox_id, running), false),
        (filter(&container.id, &pod.sandbox_id, exited), false),
    ] {
        assert_eq!(
            found(&fixture, filter.clone()).await.len(),
            usize::from(matches),
            "{filter:?}"
        );
    }
}

#[tokio::test]
async fn lists_pods_with_names_labels_and_annotations() {
    let fixture = Fixture::start().await;
    let mut pod = Pod::new("shop", "cart-0", []);
    pod.labels.insert("app".to_owned(), "cart".to_owned());
    pod.annotations
        .insert("owner".to_owned(), "team-a".to_owned());
    let running = fixture.node.run_pod(pod).await.unwrap();
    let filter = |key: &str, value: &str| ListPodSandboxRequest {
        filter: Some(PodSandboxFilter {
            label_selector: HashMap::from([(key.to_owned(), value.to_owned())]),
            ..PodSandboxFilter::default()
        }),
    };
    let mut client = fixture.client.clone();
    let listed = client
        .list_pod_sandbox(filter("app", "cart"))
        .await
        .unwrap()
        .into_inner()
        .items;
    assert_eq!(listed[0].id, running.sandbox_id);
    assert!(
        client
            .list_pod_sandbox(filter("app", "till"))
            .await
            .unwrap()
            .into_inner()
            .items
            .is_empty()
    );
    let request = PodSandboxStatusRequest {
        pod_sandbox_id: running.sandbox_id,
        verbose: false,
    };
    let status = client
        .pod_sandbox_status(request)
        .await
        .unwrap()
        .into_inner()
        .status
        .unwrap();
    assert_eq!(status.annotations["owner"], "team-a");
    assert_eq!(status.labels["io.kubernetes.pod.uid"], running.uid);
    assert_eq!(status.metadata.unwrap().uid, running.uid);
}

#[tokio::test]
async fn answers_an_unknown_id_like_containerd() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    let id = || "nope".to_owned();
    let answers = [
        fixture
            .checkpoint("nope", &fixture.path("archive.tar"))
            .await
            .unwrap_err(),
        client
            .container_status(ContainerStatusRequest {
                container_id: id(),
                verbose: true,
            })
            .await
            .unwrap_err(),
        client
            .container_stats(ContainerStatsRequest { container_id: id() })
            .await
            .unwrap_err(),
        client
            .pod_sandbox_status(PodSandboxStatusRequest {
                pod_sandbox_id: id(),
                verbose: false,
            })
            .await
            .unwrap_err(),
    ];
    let texts = [
        "an error occurred when trying to find container the container status \"nope\": an error occurred when try to \
         find container \"nope\": not found",
        "an error occurred when try to find container \"nope\": not found",
        "failed to find container: not found",
        "an error occurred when try to find sandbox: not found",
    ];
    for (answer, text) in answers.iter().zip(texts) {
        assert_eq!((answer.code(), answer.message()), (Code::NotFound, text));
    }
}

#[tokio::test]
async fn accepts_a_unique_prefix_of_an_id() {
    let fixture = Fixture::start().await;
    let containers =
        (0..17).map(|number| ContainerSpec::new(format!("app-{number}"), ["/bin/sleep", "100000"]));
    let pod = fixture
        .node
        .run_pod(Pod::new("shop", "cart-0", containers))
        .await
        .unwrap();
    let ids: Vec<_> = pod
        .containers
        .iter()
        .map(|container| container.id.as_str())
        .collect();
    fixture
        .checkpoint(&ids[0][..12], &fixture.path("archive.tar"))
        .await
        .unwrap();
    // Of seventeen ids, two start with the same hex digit.
    let shared = ids
        .iter()
        .map(|id| &id[..1])
        .find(|digit| ids.iter().filter(|id| id.starts_with(digit)).count() > 1);
    let (code, text) = fixture
        .refusal(shared.unwrap(), &fixture.path("other.tar"))
        .await;
    assert_eq!(code, Code::Unknown);
    assert!(
        text.contains("multiple IDs found with provided prefix"),
        "{text}"
    );
    let (code, text) = fixture.refusal("", &fixture.path("other.tar")).await;
    assert_eq!(code, Code::Unknown);
    assert!(text.ends_with("prefix can't be empty"), "{text}");
}

#[tokio::test]
async fn a_verbose_status_contains_the_environment() {
    let fixture = Fixture::start().await;
    let (pod, _echo) = fixture.run_echo().await;
    let request = |verbose| ContainerStatusRequest {
        container_id: pod.containers[0].id.clone(),
        verbose,
    };
    let mut client = fixture.client.clone();
    let brief = client
        .container_status(request(false))
        .await
        .unwrap()
        .into_inner();
    assert!(brief.info.is_empty());
    assert_eq!(
        brief.status.unwrap().log_path,
        pod.containers[0].log_path.display().to_string()
    );
    let verbose = client
        .container_status(request(true))
        .await
        .unwrap()
        .into_inner();
    let info: serde_json::Value = serde_json::from_str(&verbose.info["info"]).unwrap();
    let process = &info["runtimeSpec"]["process"];
    assert_eq!(process["env"][0], format!("SECRET={SECRET}"));
    assert_eq!(process["args"][0], "/bin/sh");
}

#[tokio::test]
async fn reports_the_memory_of_a_running_container() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let request = || ContainerStatsRequest {
        container_id: container.id.clone(),
    };
    let mut client = fixture.client.clone();
    let mut used = async || {
        let stats = client
            .container_stats(request())
            .await
            .unwrap()
            .into_inner()
            .stats
            .unwrap();
        stats.memory.unwrap().working_set_bytes.unwrap().value
    };
    assert!(used().await > 0);
    fixture.node.stop_container(&container.id).unwrap();
    assert_eq!(used().await, 0);
}

#[tokio::test]
async fn reports_its_name_and_readiness() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    let version = client
        .version(VersionRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(version.runtime_name, "checkpoint-gateway-node");
    assert_eq!(version.runtime_version, env!("CARGO_PKG_VERSION"));
    assert_eq!(version.runtime_api_version, "v1");
    let status = client
        .status(StatusRequest::default())
        .await
        .unwrap()
        .into_inner()
        .status
        .unwrap();
    let ready: Vec<_> = status
        .conditions
        .iter()
        .map(|found| (found.r#type.as_str(), found.status))
        .collect();
    assert_eq!(ready, [("RuntimeReady", true), ("NetworkReady", true)]);
}

#[tokio::test]
async fn counts_calls_by_method() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    client.version(VersionRequest::default()).await.unwrap();
    client.version(VersionRequest::default()).await.unwrap();
    let answer = client
        .checkpoint_pod(CheckpointPodRequest::default())
        .await
        .unwrap_err();
    assert_eq!(answer.code(), Code::Unimplemented);
    let calls = fixture.node.calls();
    assert_eq!(
        (
            calls.of(Method::Version),
            calls.of(Method::CheckpointPod),
            calls.total()
        ),
        (2, 1, 3)
    );
    assert_eq!(fixture.node.checkpoint_calls(), 0);
    assert_eq!(
        (
            calls.in_progress(Method::Version),
            calls.abandoned(Method::Version)
        ),
        (0, 0)
    );
}
