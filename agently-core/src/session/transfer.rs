//! Sessions as data, to be stored and taken up again.

use agently_api::model::{Message, Role};
use serde_json::{json, Map, Value};

use super::{id, Session, SessionError, SessionErrorKind, State};
use crate::nearest::nearest;
use crate::notation::Notation;

const VERSION: u64 = 1;
/// How many bytes a text may have that a session is read from: 16 MiB.
const MAX_BYTES: usize = 16 << 20;
const MAX_MESSAGES: usize = 100_000;
const KEYS: [&str; 6] = [
    "agently_session",
    "id",
    "messages",
    "summary",
    "from",
    "memo",
];

impl Session {
    /// All of it as data: the turns, what stands for older ones in requests, and the memo. Limits
    /// and handlers are not part of it.
    #[must_use]
    pub fn export(&self) -> Value {
        let state = self.lock();
        let mut data = json!({
            "agently_session": VERSION,
            "id": state.id,
            "messages": messages_value(&state.messages),
        });
        if let Value::Object(fields) = &mut data {
            if state.from > 0 {
                fields.insert("summary".into(), messages_value(&state.summary));
                fields.insert("from".into(), state.from.into());
            }
            if !state.memo.is_empty() {
                fields.insert("memo".into(), Value::Object(state.memo.clone()));
            }
        }
        data
    }

    /// [`export`](Self::export) as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.export())
    }

    /// [`export`](Self::export) as YAML.
    #[cfg(feature = "yaml")]
    #[must_use]
    pub fn to_yaml(&self) -> String {
        Notation::Yaml.write(&self.export()).unwrap_or_default()
    }

    /// A session of what [`export`](Self::export) gave.
    ///
    /// A message may also be written short, as `{"role": "user", "content": "…"}`.
    ///
    /// ```
    /// use agently_core::session::Session;
    /// use serde_json::json;
    ///
    /// let session = Session::import(&json!({
    ///     "agently_session": 1,
    ///     "id": "ada",
    ///     "messages": [
    ///         { "role": "user", "content": "Hello" },
    ///         { "role": "assistant", "content": "Good morning" },
    ///     ],
    /// }))?;
    /// assert_eq!(session.messages()[1].text(), "Good morning");
    /// # Ok::<(), agently_core::session::SessionError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The data is no session, is one of a version that is not known, or has more than 100,000
    /// messages. The error says where the fault is.
    pub fn import(data: &Value) -> Result<Self, SessionError> {
        let Value::Object(fields) = data else {
            return Err(form("a session must be an object"));
        };
        match fields.get("agently_session").map(Value::as_u64) {
            Some(Some(VERSION)) => {}
            Some(_) => {
                return Err(SessionError::new(
                    SessionErrorKind::Version,
                    format!(
                        "this session was written by a newer version; \
                         version {VERSION} is known here"
                    ),
                ));
            }
            None => {
                return Err(form(format!(
                    "`agently_session` is missing, which says that this is a session; \
                     it must be {VERSION}"
                )));
            }
        }
        if let Some(stranger) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(form(match nearest(stranger, KEYS, 2) {
                Some(meant) => {
                    format!("`{stranger}` is not part of a session; did you mean `{meant}`?")
                }
                None => format!("`{stranger}` is not part of a session"),
            }));
        }
        let id = match fields.get("id") {
            Some(Value::String(id)) => id::checked(id.clone())?,
            _ => return Err(form("`id` must be a text")),
        };
        let mut state = State::new(id);
        state.messages = messages(fields, "messages")?;
        state.summary = messages(fields, "summary")?;
        state.from = match fields.get("from") {
            None => 0,
            Some(from) => from
                .as_u64()
                .and_then(|from| usize::try_from(from).ok())
                .filter(|from| *from <= state.messages.len())
                .ok_or_else(|| form("`from` must be a number of messages that there are"))?,
        };
        state.memo = match fields.get("memo") {
            None => Map::new(),
            Some(Value::Object(memo)) => memo.clone(),
            Some(_) => return Err(form("`memo` must be an object")),
        };
        Ok(Self::of(state))
    }

    /// [`import`](Self::import) of a JSON text of at most 16 MiB.
    ///
    /// # Errors
    ///
    /// As [`import`](Self::import), and if it is no JSON or too long.
    pub fn from_json(text: &str) -> Result<Self, SessionError> {
        Self::from_text(Notation::Json, text)
    }

    /// [`import`](Self::import) of a YAML text of at most 16 MiB.
    ///
    /// # Errors
    ///
    /// As [`import`](Self::import), and if it is no YAML or too long.
    #[cfg(feature = "yaml")]
    pub fn from_yaml(text: &str) -> Result<Self, SessionError> {
        Self::from_text(Notation::Yaml, text)
    }

    fn from_text(notation: Notation, text: &str) -> Result<Self, SessionError> {
        if text.len() > MAX_BYTES {
            return Err(SessionError::new(
                SessionErrorKind::Limit,
                format!(
                    "the session has {} bytes; at most {MAX_BYTES} are read",
                    text.len()
                ),
            ));
        }
        let data = notation
            .read_bounded(text)
            .map_err(|error| SessionError::new(SessionErrorKind::Syntax, error.to_string()))?;
        Self::import(&data)
    }
}

fn form(message: impl Into<String>) -> SessionError {
    SessionError::new(SessionErrorKind::Form, message)
}

fn messages_value(messages: &[Message]) -> Value {
    // A message is plain data: strings and objects with string keys.
    let value = |message| serde_json::to_value(message).unwrap_or_default();
    messages.iter().map(value).collect()
}

fn messages(fields: &Map<String, Value>, name: &str) -> Result<Vec<Message>, SessionError> {
    let items = match fields.get(name) {
        Some(Value::Array(items)) => items,
        None if name == "summary" => return Ok(Vec::new()),
        _ => return Err(form(format!("`{name}` must be a list"))),
    };
    if items.len() > MAX_MESSAGES {
        return Err(SessionError::new(
            SessionErrorKind::Limit,
            format!(
                "`{name}` has {} messages; at most {MAX_MESSAGES} are read",
                items.len()
            ),
        ));
    }
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            message(item).ok_or_else(|| {
                form(format!(
                    "`{name}[{index}]` is no message; it must have a `role` (`system`, `user`, \
                     `assistant` or `tool`), and `parts` or a `content` text"
                ))
            })
        })
        .collect()
}

fn message(item: &Value) -> Option<Message> {
    let content = item.get("content").and_then(Value::as_str);
    match content {
        Some(content) if item.get("parts").is_none() => {
            let role: Role = serde_json::from_value(item.get("role")?.clone()).ok()?;
            let part = agently_api::model::Part::text(content);
            Some(Message::new(role, vec![part]))
        }
        _ => serde_json::from_value(item.clone()).ok(),
    }
}
