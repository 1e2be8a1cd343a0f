//! Tests that processes in vfork(2) can be frozen.

use gateway_node::{ContainerSpec, Pod};

use crate::fixture::Fixture;

/// A shell in vfork(2) cannot stop before its child has run on.
#[tokio::test]
async fn checkpoints_a_shell_that_forks_continuously() {
    let fixture = Fixture::start().await;
    let spec = ContainerSpec::new("app", ["/bin/sh", "-c", "while :; do /bin/true; done"]);
    let pod = fixture
        .node
        .run_pod(Pod::new("shop", "busy", [spec]))
        .await
        .unwrap();
    let id = &pod.container("app").unwrap().id;
    for number in 0..60 {
        fixture
            .checkpoint(id, &fixture.path(&format!("archive-{number}.tar")))
            .await
            .unwrap();
    }
}
