//! Which settings there are.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::environment::has_placeholder;
use super::error::{SettingsError, SettingsErrorKind};
use crate::nearest::nearest;

/// What a setting's value can be.
///
/// In the place of a number or of `true` and `false`, a text with a `${ENV.NAME}` in it is taken as
/// well; it is read as such a value when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyType {
    /// A text.
    Text,
    /// A text that is never printed.
    Secret,
    /// `true` or `false`.
    Bool,
    /// A whole number that is not negative.
    Count,
    /// A number of seconds, more than 0.
    Seconds,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// An object with whatever is in it.
    Object,
    /// An object of texts, none of which is ever printed.
    Secrets,
}

impl KeyType {
    fn describe(self) -> String {
        match self {
            Self::Text | Self::Secret => "a text".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Count => "a whole number that is not negative".to_owned(),
            Self::Seconds => "a number of seconds, more than 0".to_owned(),
            Self::Choice(names) => format!("one of `{}`", names.join("`, `")),
            Self::Object => "an object".to_owned(),
            Self::Secrets => "an object of texts".to_owned(),
        }
    }

    /// Whether fields can be set below it.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Object | Self::Secrets)
    }

    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Secrets)
    }

    /// Says whether a setting at `path` can have this value.
    pub(super) fn check(self, path: &str, value: &Value) -> Result<(), SettingsError> {
        let wrong = |path: &str, kind, wanted: String| {
            Err(SettingsError::new(
                kind,
                path,
                format!("must be {wanted}, not {}", name_of(value)),
            ))
        };
        let later = value.as_str().is_some_and(has_placeholder) && !self.is_open();
        let fits = later
            || match self {
                Self::Text | Self::Secret | Self::Choice(_) => value.is_string(),
                Self::Bool => value.is_boolean(),
                Self::Count => value.is_u64(),
                Self::Seconds => value.is_number(),
                Self::Object | Self::Secrets => value.is_object(),
            };
        if !fits {
            let kind = match (self, value) {
                (Self::Count, Value::Number(_)) => SettingsErrorKind::Value,
                _ => SettingsErrorKind::Type,
            };
            return wrong(path, kind, self.describe());
        }
        match (self, value) {
            (Self::Seconds, Value::Number(number)) => match number.as_f64() {
                Some(seconds)
                    if std::time::Duration::try_from_secs_f64(seconds)
                        .is_ok_and(|limit| !limit.is_zero()) =>
                {
                    Ok(())
                }
                _ => wrong(path, SettingsErrorKind::Value, self.describe()),
            },
            (Self::Choice(names), Value::String(name)) if !later && !names.contains(&&**name) => {
                let hint = match nearest(&name.to_ascii_lowercase(), names.iter().copied(), 2) {
                    Some(meant) => format!("; did you mean `{meant}`?"),
                    None => String::new(),
                };
                Err(SettingsError::new(
                    SettingsErrorKind::Value,
                    path,
                    format!("must be {}{hint}", self.describe()),
                ))
            }
            (Self::Secrets, Value::Object(fields)) => {
                for (name, value) in fields {
                    Self::Secret.check(&format!("{path}.{name}"), value)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What a value is, without saying which.
fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "this number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The settings that there are, by dotted path. A cheap clone.
///
/// [`core`](Self::core) has those of this crate. Whoever makes a provider from settings adds its
/// own:
///
/// ```
/// use agently_core::settings::{KeyType, Keys, Settings};
///
/// let keys = Keys::core()
///     .with("Acme.region", KeyType::Text)
///     .with("Acme.key", KeyType::Secret);
/// let settings = Settings::new(keys).with("Acme.region", "north")?;
/// let fault = settings.with("Acme.regoin", "south").unwrap_err();
/// assert_eq!(
///     fault.to_string(),
///     "`Acme.regoin` is not a setting; did you mean `Acme.region`?"
/// );
/// # Ok::<(), agently_core::settings::SettingsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Keys(Arc<Vec<Key>>);

#[derive(Clone, Debug)]
struct Key {
    path: Cow<'static, str>,
    kind: KeyType,
}

/// The formats of answers, by name.
const FORMATS: &[&str] = &[
    "json",
    "hybrid",
    "xml_field",
    "yaml_literal",
    "flat_markdown",
    "auto",
];

/// The groups of this crate; every other group belongs to a provider.
const CORE: &[(&str, KeyType)] = &[
    ("prompt.default_output_format", KeyType::Choice(FORMATS)),
    ("request.model", KeyType::Text),
    ("request.options", KeyType::Object),
    ("request.stream", KeyType::Bool),
    ("request.max_retries", KeyType::Count),
    ("request.timeout_seconds", KeyType::Seconds),
    ("request.response_limit", KeyType::Count),
    ("request.accept_length", KeyType::Bool),
    ("request.raw_events", KeyType::Bool),
];

/// Whether a setting is one of a provider.
pub(super) fn is_provider_path(path: &str) -> bool {
    let group = path.split('.').next().unwrap_or_default();
    !CORE
        .iter()
        .any(|(known, _)| known.split('.').next() == Some(group))
}

/// What a path stands for.
pub(super) enum Place {
    /// A setting.
    Setting(KeyType),
    /// A field within a setting that is an object; of a secret one it must be a text.
    Field { secret: bool },
    /// Settings lie below it.
    Group,
}

impl Keys {
    /// The settings of this crate: the groups `prompt` and `request`.
    #[must_use]
    pub fn core() -> Self {
        let keys = CORE.iter().map(|&(path, kind)| Key {
            path: path.into(),
            kind,
        });
        Self(Arc::new(keys.collect()))
    }

    /// Adds a setting, as `Acme.region`; a path that is known already gets this type.
    #[must_use]
    pub fn with(mut self, path: impl Into<Cow<'static, str>>, kind: KeyType) -> Self {
        let path = path.into();
        let keys = Arc::make_mut(&mut self.0);
        match keys.iter_mut().find(|key| key.path == path) {
            Some(key) => key.kind = kind,
            None => keys.push(Key { path, kind }),
        }
        self
    }

    /// The paths, in the order in which they were added.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| &*key.path)
    }

    pub(super) fn find(&self, path: &str) -> Result<Place, SettingsError> {
        for key in self.0.iter() {
            if key.path == path {
                return Ok(Place::Setting(key.kind));
            }
            if is_below(&key.path, path) {
                return Ok(Place::Group);
            }
            if key.kind.is_open() && is_below(path, &key.path) {
                return Ok(Place::Field {
                    secret: key.kind == KeyType::Secrets,
                });
            }
        }
        Err(self.unknown(path))
    }

    /// The type of the setting at `path`, if it is one of the known paths itself.
    pub(super) fn exact(&self, path: &str) -> Option<KeyType> {
        self.0
            .iter()
            .find(|key| key.path == path)
            .map(|key| key.kind)
    }

    fn unknown(&self, path: &str) -> SettingsError {
        let message = match self.meant(path) {
            Some(meant) => format!("is not a setting; did you mean `{meant}`?"),
            None => match self.siblings(path).as_slice() {
                [] => format!(
                    "is not a setting; the groups are {}",
                    self.groups().join(", ")
                ),
                names => format!("is not a setting; there are {}", names.join(", ")),
            },
        };
        SettingsError::new(SettingsErrorKind::UnknownKey, path, message)
    }

    /// The known path or group that was probably meant.
    fn meant(&self, path: &str) -> Option<String> {
        if !path.contains('.') {
            // A group, or a setting without its group.
            let lower = path.to_ascii_lowercase();
            let starts = |name: &&str| name.to_ascii_lowercase().starts_with(&lower);
            let groups = self.groups();
            let group = nearest(path, groups.iter().copied(), 2).or_else(|| {
                groups
                    .iter()
                    .copied()
                    .find(starts)
                    .filter(|_| lower.len() > 2)
            });
            return group.map(str::to_owned).or_else(|| {
                let leaf = |known: &&str| known.rsplit('.').next() == Some(path);
                self.paths().find(leaf).map(str::to_owned)
            });
        }
        // Of a long name more letters may be wrong.
        let leaf = path.rsplit('.').next().unwrap_or_default();
        let limit = if leaf.len() < 8 { 2 } else { 3 };
        nearest(path, self.paths(), limit)
            .or_else(|| {
                let same = |known: &&str| known.eq_ignore_ascii_case(path);
                self.paths().find(same)
            })
            .map(str::to_owned)
    }

    /// The names beside `path`, in the same group.
    fn siblings(&self, path: &str) -> Vec<&str> {
        let Some((group, _)) = path.rsplit_once('.') else {
            return Vec::new();
        };
        self.paths()
            .filter(|known| is_below(known, group))
            .filter_map(|known| known.get(group.len() + 1..))
            .collect()
    }

    fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for path in self.paths() {
            let group = path.split('.').next().unwrap_or_default();
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }
}

/// Whether `path` lies below `group`.
fn is_below(path: &str, group: &str) -> bool {
    path.strip_prefix(group)
        .is_some_and(|rest| rest.starts_with('.'))
}
