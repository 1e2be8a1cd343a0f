//! Reads the environment of a container from the runtime.

use std::collections::BTreeSet;
use std::fmt;

use gateway_core::Container;
use gateway_proto::v1::ContainerStatusRequest;
use serde::Deserialize;

use crate::error::Error;
use crate::runtime::Runtime;

/// The key under which containerd and CRI-O return information about a container, as JSON.
const INFO: &str = "info";

/// The environment with which a container was started. Its values may be secrets, so `Debug` omits them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeSet<(String, String)>);

impl Environment {
    /// The variables' names and values.
    pub fn into_variables(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }

    /// Parses a runtime's information about a container. Unknown formats yield no variables; the archive provides them later.
    fn parse(info: &str) -> Self {
        let Info {
            runtime_spec,
            config,
        } = serde_json::from_str(info).unwrap_or_default();
        let actual = runtime_spec.process.env.into_iter();
        let actual = actual.filter_map(|pair| {
            pair.split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        });
        let requested = config
            .envs
            .into_iter()
            .map(|variable| (variable.key, variable.value));
        Self(actual.chain(requested).collect())
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
    /// The environment with which `container` was started, from the verbose answer to `ContainerStatus`; empty if the runtime
    /// does not report it. If a variable was requested with one value and started with another, both are included.
    ///
    /// # Errors
    /// [`Error::LookUp`] if the runtime does not answer.
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
            .map(|info| Environment::parse(info))
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

/// The container's configuration as the kubelet requested it.
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
        Environment::parse(info).into_variables().collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn includes_requested_and_actual_values() {
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
    fn reads_the_specification_without_a_configuration() {
        let info = r#"{"sandboxID": "x", "privileged": false, "runtimeSpec": {"process": {"env": ["A=1"]}}}"#;
        assert_eq!(variables(info), [pair("A", "1")]);
    }

    #[test]
    fn is_empty_for_unknown_formats() {
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
    fn debug_output_omits_values() {
        let info = r#"{"config": {"envs": [{"key": "API_KEY", "value": "hunter2"}]}}"#;
        assert_eq!(format!("{:?}", Environment::parse(info)), r#"["API_KEY"]"#);
    }
}
