//! Tests a plan before there is an archive.

use gateway_core::Plan;

use super::drops::DropList;
use super::settings::RedactionSettings;
use crate::Error;
use crate::search::Rules;

/// Whether `plan` can be carried out. Callers ask before they take a checkpoint.
///
/// # Errors
/// [`Error::BadRule`] or [`Error::CannotDrop`] name the first rule that cannot be carried out; [`Error::BadMask`] is about the
/// settings.
pub fn check_plan(plan: &Plan, settings: &RedactionSettings) -> Result<(), Error> {
    compile_plan(plan, settings).map(drop)
}

/// Checks `plan`, and compiles it without any value.
pub(super) fn compile_plan(plan: &Plan, settings: &RedactionSettings) -> Result<Rules, Error> {
    if !settings.mask.is_ascii_graphic() || matches!(settings.mask, b'"' | b'\\') {
        return Err(Error::BadMask);
    }
    DropList::new(plan)?;
    Ok(Rules::compile(plan, &[], &settings.search())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::DropRule;

    fn check_drop(entry: &str) -> Result<(), Error> {
        let rule = DropRule {
            name: "rule".to_owned(),
            entry: entry.to_owned(),
        };
        let plan = Plan {
            drop: vec![rule],
            ..Plan::default()
        };
        check_plan(&plan, &RedactionSettings::default())
    }

    #[test]
    fn refuses_to_drop_what_a_restore_needs() {
        for entry in [
            "checkpoint/pages-1.img",
            "checkpoint",
            "./checkpoint/",
            "/spec.dump",
            "config.dump",
            "status.dump",
            "",
            ":",
            "rootfs-diff.tar:",
            "container.log:x",
            "x/../spec.dump",
            "checkpoint:x",
            "spec.dump:process",
        ] {
            let refused = check_drop(entry).unwrap_err();
            assert!(
                refused.to_string().contains("cannot drop"),
                "{entry}: {refused}"
            );
        }
    }

    #[test]
    fn drops_logs_and_changed_files() {
        for entry in [
            "container.log",
            "dump.log",
            "stats-dump",
            "rootfs-diff.tar:/etc/shadow",
            "rootfs-diff.tar",
        ] {
            check_drop(entry).unwrap();
        }
    }

    #[test]
    fn refuses_a_mask_that_would_break_json() {
        for mask in [0, b'"', b'\\', b'\n', 0xff] {
            let settings = RedactionSettings {
                mask,
                ..RedactionSettings::default()
            };
            assert!(check_plan(&Plan::default(), &settings).is_err());
        }
    }
}
