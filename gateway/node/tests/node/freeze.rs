use gateway_node::{ContainerSpec, Pod};

use crate::fixture::Fixture;

/// As with a shell that waits in vfork(2): it cannot stop before its child has gone on.
#[tokio::test]
async fn a_shell_that_starts_one_program_after_the_other_can_be_checkpointed_at_any_moment() {
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
