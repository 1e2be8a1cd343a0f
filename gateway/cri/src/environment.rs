use std::collections::BTreeSet;
use std::fmt;

use gateway_core::Container;
use gateway_proto::v1::ContainerStatusRequest;
use serde::Deserialize;

use crate::{Error, Runtime};

/// Under this name containerd and CRI-O put what they know of a container, as JSON.
const INFO: &str = "info";

/// The environment that a container was started with. Its values are secrets: none is ever shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeSet<(String, String)>);

impl Environment {
    /// The variables' names and values.
    pub fn into_variables(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }

    /// Reads what a runtime tells of a container. Whatever it does not tell in the way that is known is left out: the
    /// archive itself tells it later.
    fn of(info: &str) -> Self {
        let Info {
            runtime_spec,
            config,
        } = serde_json::from_str(info).unwrap_or_default();
        let started = runtime_spec.process.env.into_iter();
        let started = started.filter_map(|pair| {
            pair.split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        });
        let asked = config
            .envs
            .into_iter()
            .map(|variable| (variable.key, variable.value));
        Self(started.chain(asked).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Runtime {
    /// The environment that `container` was started with, as far as the runtime tells: containerd and CRI-O do, in the
    /// verbose answer to `ContainerStatus`. Values with which a variable is asked for and with which it was started both
    /// count.
    ///
    /// # Errors
    /// [`Error::LookUp`] where the runtime does not answer.
    pub async fn environment(&self, container: &Container) -> Result<Environment, Error> {
        let mut client = self.client();
        let request = ContainerStatusRequest {
            container_id: container.id.clone(),
            verbose: true,
        };
        let answer = self
            .look_up("ContainerStatus", client.container_status(request))
            .await?;
        Ok(answer
            .info
            .get(INFO)
            .map(|info| Environment::of(info))
            .unwrap_or_default())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Info {
    #[serde(rename = "runtimeSpec")]
    runtime_spec: Spec,
    config: Config,
}

/// An OCI runtime specification.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    process: Process,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Process {
    env: Vec<String>,
}

/// What the kubelet asked containerd for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    envs: Vec<Variable>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Variable {
    key: String,
    value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(info: &str) -> Vec<(String, String)> {
        Environment::of(info).into_variables().collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn what_was_asked_for_and_what_it_was_started_with_both_count() {
        let info = r#"{"pid": 7, "config": {"envs": [{"key": "A", "value": "1"}, {"key": "B"}]},
            "runtimeSpec": {"ociVersion": "1.2.1", "process": {"env": ["A=2", "C=x=y", "none"]}}}"#;
        assert_eq!(
            variables(info),
            [
                pair("A", "1"),
                pair("A", "2"),
                pair("B", ""),
                pair("C", "x=y")
            ]
        );
    }

    #[test]
    fn a_runtime_without_a_configuration_tells_by_its_specification() {
        let info = r#"{"sandboxID": "x", "privileged": false, "runtimeSpec": {"process": {"env": ["A=1"]}}}"#;
        assert_eq!(variables(info), [pair("A", "1")]);
    }

    #[test]
    fn what_cannot_be_read_is_no_environment() {
        for info in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"runtimeSpec": {"process": {"env": 7}}}"#,
        ] {
            assert_eq!(variables(info), [], "{info}");
        }
    }

    #[test]
    fn values_are_not_shown() {
        let info = r#"{"config": {"envs": [{"key": "API_KEY", "value": "hunter2"}]}}"#;
        assert_eq!(format!("{:?}", Environment::of(info)), r#"["API_KEY"]"#);
    }
}
