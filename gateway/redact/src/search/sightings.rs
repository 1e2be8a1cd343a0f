//! Sightings of credentials: what is known of each secret that was found, and where, without its value.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use gateway_core::Place;

/// The most different sightings of one stream or archive.
const MAX_SIGHTINGS: usize = 1000;

/// Makes a fingerprint of a secret, which must not reveal it: a keyed hash.
pub type Fingerprint = Arc<dyn Fn(&[u8]) -> String + Send + Sync>;

/// Settings of the description of credentials.
#[derive(Clone, Default)]
pub struct CredentialSettings {
    /// Makes fingerprints; there are none without it.
    pub(super) fingerprint: Option<Fingerprint>,
    /// Whether rules that are called `certificate` find certificates.
    pub(super) certificates: bool,
    /// Keys of this process, by which copies of one value are recognized.
    keys: RandomState,
}

/// What is known of a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// The kind: a detector's name, `variable`, `pattern` or `certificate`.
    pub(crate) kind: &'static str,
    /// The issuer's name, for kinds that have several.
    pub(crate) product: Option<&'static str>,
    /// The rule by its index in the plan, where it is the rule that gives the name.
    pub(crate) named_by: Option<usize>,
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) expires: Option<jiff::Timestamp>,
    pub(crate) fingerprint: Option<String>,
    /// Whether it is the certificate of an authority.
    pub(crate) is_authority: bool,
}

/// A place of sightings. The parts that are not known yet come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SightingKey {
    /// The member of the archive.
    pub(crate) member: Option<Arc<str>>,
    /// The file in the member.
    pub(crate) file: Option<Arc<str>>,
    pub(crate) place: Place,
    /// The same for copies of one value.
    pub(crate) identity: u64,
}

/// Sightings by their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sightings {
    seen: Arc<BTreeMap<SightingKey, (About, u64)>>,
    /// Sightings that are not kept.
    unlisted: u64,
}

impl CredentialSettings {
    /// A number that is the same for equal texts.
    pub(super) fn identity(&self, text: impl std::hash::Hash) -> u64 {
        self.keys.hash_one(text)
    }
}

impl CredentialSettings {
    /// With certificates, which a rule of the same name finds.
    pub(crate) fn for_audit(fingerprint: Option<Fingerprint>) -> Self {
        Self {
            certificates: true,
            ..Self::new(fingerprint)
        }
    }

    /// With fingerprints, if there is something that makes them.
    pub fn new(fingerprint: Option<Fingerprint>) -> Self {
        Self {
            fingerprint,
            ..Self::default()
        }
    }
}

/// Whether both describe alike.
impl PartialEq for CredentialSettings {
    fn eq(&self, other: &Self) -> bool {
        let makers = (&self.fingerprint, &other.fingerprint);
        let same_maker = match makers {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        same_maker && self.certificates == other.certificates
    }
}

impl Eq for CredentialSettings {}

impl Sightings {
    pub(super) fn add(&mut self, place: Place, identity: u64, about: &About) {
        let key = SightingKey {
            member: None,
            file: None,
            place,
            identity,
        };
        self.put(key, about, 1);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.unlisted = self.unlisted.saturating_add(other.unlisted);
        for (key, (about, copies)) in other.seen.iter() {
            self.put(key.clone(), about, *copies);
        }
    }

    /// Names the file of the sightings that have neither a file nor a member.
    pub(crate) fn set_file(&mut self, file: &str) {
        self.rename(
            |key| key.member.is_none() && key.file.is_none(),
            |key| {
                key.file = Some(file.into());
            },
        );
    }

    /// Names the member of the sightings that have none.
    pub(crate) fn set_member(&mut self, member: &str) {
        self.rename(
            |key| key.member.is_none(),
            |key| {
                key.member = Some(member.into());
            },
        );
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Names the rule of the variable that holds all of these.
    pub(super) fn name(&mut self, rule: usize) {
        for (about, _) in Arc::make_mut(&mut self.seen).values_mut() {
            about.named_by = about.named_by.or(Some(rule));
        }
    }

    /// All sightings, and the number of those that are not kept.
    pub(crate) fn all(&self) -> (impl Iterator<Item = (&SightingKey, &About, u64)>, u64) {
        let all = self.seen.iter();
        let all = all.map(|(key, (about, copies))| (key, about, *copies));
        (all, self.unlisted)
    }

    fn rename(
        &mut self,
        applies: impl Fn(&SightingKey) -> bool,
        rename: impl Fn(&mut SightingKey),
    ) {
        // Those without a member come first, and among them those without a file.
        if !self.seen.keys().next().is_some_and(&applies) {
            return;
        }
        let seen = Arc::make_mut(&mut self.seen);
        let mut renamed = Vec::new();
        while let Some(first) = seen.first_entry().filter(|first| applies(first.key())) {
            renamed.push(first.remove_entry());
        }
        for (mut key, (about, copies)) in renamed {
            rename(&mut key);
            self.put(key, &about, copies);
        }
    }

    fn put(&mut self, key: SightingKey, about: &About, copies: u64) {
        let full = self.seen.len() >= MAX_SIGHTINGS;
        if full && !self.seen.contains_key(&key) {
            self.unlisted = self.unlisted.saturating_add(copies);
            return;
        }
        let seen = Arc::make_mut(&mut self.seen);
        let (known, count) = seen.entry(key).or_insert_with(|| (about.clone(), 0));
        *count = count.saturating_add(copies);
        // A variable's name may be known for one copy only.
        known.named_by = known.named_by.or(about.named_by);
    }
}

impl fmt::Debug for CredentialSettings {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialSettings")
            .field("fingerprints", &self.fingerprint.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sightings_get_the_name_of_their_place() {
        let mut found = Sightings::default();
        found.add(Place::Files, 1, &About::default());
        found.set_file("a");
        found.add(Place::Files, 1, &About::default());
        found.set_file("b");
        found.add(Place::Files, 1, &About::default());
        found.set_member("rootfs-diff.tar");
        found.add(Place::Memory, 1, &About::default());
        found.add(Place::Memory, 1, &About::default());
        found.set_member("pages-1.img");
        let places: Vec<_> = found
            .all()
            .0
            .map(|(key, _, copies)| (key.member.as_deref(), key.file.as_deref(), copies))
            .collect();
        let diff = Some("rootfs-diff.tar");
        let pages = Some("pages-1.img");
        assert_eq!(
            places,
            [
                (pages, None, 2),
                (diff, None, 1),
                (diff, Some("a"), 1),
                (diff, Some("b"), 1)
            ]
        );
    }

    #[test]
    fn sightings_are_bounded() {
        let mut found = Sightings::default();
        for identity in 0..1_500 {
            found.add(Place::Memory, identity, &About::default());
        }
        let (all, unlisted) = found.all();
        assert_eq!((all.count(), unlisted), (MAX_SIGHTINGS, 500));
    }
}
