//! Masks a runtime's description of a container: its image and the values of its labels and annotations.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gateway_core::{Container, Finding, Process};

use super::known_values::Wanted;
use super::settings::RedactionSettings;
use super::texts::{TEXT_MAX, TextMasker};
use crate::search::EnvValue;

/// The most that is searched in one container's texts, in bytes. Neither a record nor metadata may be longer.
const BYTES_MAX: usize = 1 << 20;
/// The longest that a search in one container's texts may take.
const TIME_MAX: Duration = Duration::from_millis(500);

impl TextMasker {
    /// Masks the name of an image; its digest stays. `None` where nothing must be masked.
    pub fn mask_image(&self, image: &str) -> Option<String> {
        let (name, digest) = match image.split_once('@') {
            Some((name, digest)) if is_digest(digest) => (name, format!("@{digest}")),
            _ => (image, String::new()),
        };
        if is_digest(name) {
            return None;
        }
        self.mask(name).map(|shown| shown + &digest)
    }

    /// Masks the image and the values of labels and annotations, and returns the masked texts by field: `image`,
    /// `labels[KEY]`, `annotations[KEY]`, `pod-labels[KEY]`, `pod-annotations[KEY]`. Keys, names, ids and digests stay. What
    /// is over 1 MiB in all, or would take longer than half a second, is replaced unread.
    pub fn mask_container(&self, container: &mut Container) -> BTreeMap<String, String> {
        let names = names(container);
        let mut masking = Masking {
            texts: self,
            names: &names,
            bytes_left: BYTES_MAX,
            until: Instant::now() + TIME_MAX,
            masked: BTreeMap::new(),
        };
        if let Some(shown) = self.mask_image(&container.image) {
            container.image.clone_from(&shown);
            masking.masked.insert("image".to_owned(), shown);
        }
        masking.map("labels", &mut container.labels);
        masking.map("annotations", &mut container.annotations);
        masking.map("pod-labels", &mut container.pod_labels);
        masking.map("pod-annotations", &mut container.pod_annotations);
        masking.masked
    }

    /// Findings with masked places and messages.
    pub fn mask_findings(&self, findings: &[Finding]) -> Vec<Finding> {
        let shown = findings.iter().map(|finding| Finding {
            place: self.shown(&finding.place),
            message: self.shown(&finding.message),
            ..finding.clone()
        });
        shown.collect()
    }

    /// Masks the arguments of processes, each alone and all of a process in a row.
    pub fn mask_arguments(&self, processes: &mut [Process]) {
        for process in processes {
            let arguments = process.arguments.iter_mut().flatten();
            for argument in arguments {
                *argument = self.shown(argument);
            }
            let all = process.arguments.as_ref().map(|all| all.join(" "));
            let Some(shown) = all.and_then(|all| self.mask(&all)) else {
                continue;
            };
            let mut at = 0;
            let arguments = process.arguments.iter_mut().flatten();
            for argument in arguments {
                let end = at + argument.len();
                // Lengths are the same, unless there was too much to be searched.
                let text = shown.get(at..end).unwrap_or_default();
                text.clone_into(argument);
                at = end + 1;
            }
        }
    }

    /// Learns what was hidden in `shown`, which is `container` as an earlier masker has masked it. If that is too much to
    /// search for, every text is hidden from here on.
    pub fn learn_hidden(
        &self,
        container: &Container,
        shown: &Container,
        settings: &RedactionSettings,
    ) {
        let hidden = texts(container)
            .zip(texts(shown))
            .flat_map(|(text, shown)| hidden_parts(text.as_bytes(), shown.as_bytes()));
        let everywhere = hidden
            .map(|value| EnvValue {
                name: String::new(),
                value,
            })
            .collect();
        let values = Wanted {
            everywhere,
            ..Wanted::default()
        };
        if self.set_values(&values, &settings.search()).is_err() {
            self.hide_everything();
        }
    }
}

/// The masking of one container.
struct Masking<'a> {
    texts: &'a TextMasker,
    /// Names and ids, which are never masked.
    names: &'a [String],
    bytes_left: usize,
    until: Instant,
    masked: BTreeMap<String, String>,
}

impl Masking<'_> {
    fn map(&mut self, field: &str, map: &mut BTreeMap<String, String>) {
        for (key, value) in map {
            if let Some(shown) = self.text(value) {
                value.clone_from(&shown);
                self.masked.insert(format!("{field}[{key}]"), shown);
            }
        }
    }

    fn text(&mut self, text: &str) -> Option<String> {
        if is_digest(text) || self.names.iter().any(|name| name == text) {
            return None;
        }
        if text.len() > TEXT_MAX {
            return self.texts.mask(text);
        }
        let left = self.bytes_left.checked_sub(text.len());
        let Some(left) = left.filter(|_| Instant::now() < self.until) else {
            self.bytes_left = 0;
            return (!text.is_empty()).then(|| self.texts.replacement(text));
        };
        self.bytes_left = left;
        self.texts.mask(text)
    }
}

/// The names and ids of the container.
fn names(container: &Container) -> Vec<String> {
    let target = &container.target;
    [
        target.namespace(),
        target.pod(),
        target.container(),
        &container.id,
        &container.sandbox_id,
        &container.pod_uid,
    ]
    .map(str::to_owned)
    .into()
}

/// Whether the text is a digest as OCI writes one (image-spec, descriptor.md).
fn is_digest(text: &str) -> bool {
    let hex = text
        .strip_prefix("sha256:")
        .or_else(|| text.strip_prefix("sha512:"));
    hex.is_some_and(|hex| {
        matches!(hex.len(), 64 | 128) && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// The texts that may be masked, always in the same order.
fn texts(container: &Container) -> impl Iterator<Item = &String> {
    let maps = [
        &container.labels,
        &container.annotations,
        &container.pod_labels,
        &container.pod_annotations,
    ];
    let values = maps.into_iter().flat_map(BTreeMap::values);
    std::iter::once(&container.image).chain(values)
}

/// The parts of `text` that are overwritten in `shown`.
fn hidden_parts(text: &[u8], shown: &[u8]) -> Vec<Vec<u8>> {
    if text.len() != shown.len() {
        return vec![text.to_vec()];
    }
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut mask = None;
    for (byte, shown) in text.iter().zip(shown) {
        if byte != shown && mask.is_none() {
            parts.push(Vec::new());
        }
        // A secret may contain the mask byte.
        mask = (byte != shown || mask == Some(*shown)).then_some(*shown);
        if let (Some(_), Some(part)) = (mask, parts.last_mut()) {
            part.push(*byte);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::texts::CompiledPlan;
    use gateway_core::{MaskRule, Pattern, Place, Plan};

    const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ3mvWuY";
    const VALUE: &str = "correct-horse-battery";

    fn container() -> Container {
        let mut container = Container::named("shop/cart-0/app".parse().unwrap(), "c".repeat(64));
        container.image = format!("registry/app@sha256:{}", "a".repeat(64));
        container.pod_uid = "1e4b21f0-6b1c-4b63-9c0c-0a3a6e0a4f11".to_owned();
        container
    }

    fn masker(value: &str) -> TextMasker {
        let rule = MaskRule {
            name: "rule".to_owned(),
            pattern: Pattern::EnvValue("PASSWORD".to_owned()),
            places: [Place::Memory].into(),
        };
        let plan = Plan {
            mask: vec![rule],
            ..Plan::default()
        };
        let plan = CompiledPlan::new(plan, RedactionSettings::default()).unwrap();
        let texts = TextMasker::default();
        let values = [("PASSWORD", value), ("OTHER", "an-innocent-value")];
        let values = values.map(|(name, value)| EnvValue {
            name: name.to_owned(),
            value: value.as_bytes().to_vec(),
        });
        texts.learn(&plan, &values).unwrap();
        texts
    }

    #[test]
    fn masks_values_of_labels_and_annotations() {
        let mut container = container();
        let texts = [("plain", "an-innocent-value"), ("key", VALUE)];
        container.labels = texts
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .into();
        let note = format!("a={VALUE}, token {TOKEN}");
        container.pod_annotations.insert("note".to_owned(), note);
        let masked = masker(VALUE).mask_container(&mut container);
        assert_eq!(
            masked.keys().collect::<Vec<_>>(),
            ["labels[key]", "pod-annotations[note]"]
        );
        assert_eq!(container.labels["key"], "*".repeat(VALUE.len()));
        assert_eq!(container.labels["plain"], "an-innocent-value");
        let note = &container.pod_annotations["note"];
        assert!(
            note.starts_with("a=***") && !note.contains("ghp_"),
            "{note}"
        );
    }

    #[test]
    fn masks_json_texts_and_keeps_utf8() {
        let mut container = container();
        let value = "pässword \"<quoted>\"";
        let json = serde_json::json!({ "env": value }).to_string();
        container
            .annotations
            .insert("json".to_owned(), json.clone());
        let masked = masker(value).mask_container(&mut container);
        assert_eq!(masked.len(), 1);
        let shown = &container.annotations["json"];
        assert!(
            !shown.contains("quoted") && !shown.contains("ssword"),
            "{shown}"
        );
        assert_eq!(shown.len(), json.len());
    }

    #[test]
    fn keeps_names_ids_and_digests() {
        let mut container = container();
        let digest = format!("sha256:{}", "b".repeat(64));
        for text in [
            "cart-0",
            &container.pod_uid.clone(),
            &container.id.clone(),
            &digest,
        ] {
            container.labels.insert("same".to_owned(), text.to_owned());
            let before = container.clone();
            assert!(masker(text).mask_container(&mut container).is_empty());
            assert_eq!(container, before);
        }
        let masked = masker("registry/app").mask_container(&mut container);
        assert_eq!(masked.keys().collect::<Vec<_>>(), ["image"]);
        assert_eq!(
            container.image,
            format!("************@sha256:{}", "a".repeat(64))
        );
    }

    #[test]
    fn replaces_texts_over_the_bounds_unread() {
        let mut container = container();
        for at in 0..6 {
            let text = "x".repeat(200 << 10);
            container.annotations.insert(at.to_string(), text);
        }
        let text = "x".repeat(257 << 10);
        container.labels.insert("long".to_owned(), text);
        let masked = TextMasker::default().mask_container(&mut container);
        assert_eq!(masked["labels[long]"], "*".repeat(257 << 10));
        let texts = container.annotations.values();
        let read = texts.filter(|text| text.starts_with('x'));
        assert_eq!(read.count(), 5);
    }

    #[test]
    fn learns_what_an_earlier_masker_hid() {
        let mut shown = container();
        shown
            .labels
            .insert("key".to_owned(), format!("a={VALUE}*!"));
        let original = shown.clone();
        masker(&format!("{VALUE}*!")).mask_container(&mut shown);
        let texts = TextMasker::default();
        let settings = RedactionSettings::default();
        texts.learn_hidden(&original, &shown, &settings);
        let told = texts.shown(&format!("it says {VALUE}*!"));
        assert_eq!(told, format!("it says {}", "*".repeat(VALUE.len() + 2)));
    }

    #[test]
    fn hides_every_text_after_too_much_was_hidden() {
        let mut original = container();
        for at in 0..20 {
            let parts: Vec<String> = (0..40_000)
                .map(|number| format!("{at}.{number};"))
                .collect();
            let text = parts.concat();
            original.annotations.insert(at.to_string(), text);
        }
        let mut shown = original.clone();
        let texts = TextMasker::default();
        texts.mask_container(&mut shown);
        let later = TextMasker::default();
        later.learn_hidden(&original, &shown, &RedactionSettings::default());
        assert_eq!(later.shown("any text"), "********");
    }

    #[test]
    fn debug_output_has_no_value() {
        assert_eq!(format!("{:?}", masker(VALUE)), "TextMasker { .. }");
    }
}
