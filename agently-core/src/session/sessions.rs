use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Session, SessionError};

/// Conversations by id: one for each person an agent talks with. A cheap clone.
///
/// ```
/// use agently_core::session::Sessions;
///
/// let sessions = Sessions::new(|session| session.max_messages(40));
/// let ada = sessions.open("ada")?;
/// ada.remember("language", "English");
/// assert_eq!(sessions.open("ada")?.memo()["language"], "English");
/// assert_eq!(sessions.ids(), ["ada"]);
/// # Ok::<(), agently_core::session::SessionError>(())
/// ```
#[derive(Clone)]
pub struct Sessions {
    sessions: Arc<Mutex<BTreeMap<String, Session>>>,
    setup: Arc<dyn Fn(Session) -> Session + Send + Sync>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self::new(|session| session)
    }
}

impl Sessions {
    /// No conversations; `setup` says of each new one how much of it is sent.
    #[must_use]
    pub fn new(setup: impl Fn(Session) -> Session + Send + Sync + 'static) -> Self {
        Self {
            sessions: Arc::default(),
            setup: Arc::new(setup),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The conversation of this id, new if there was none.
    ///
    /// # Errors
    ///
    /// The id is none: see [`Session::with_id`].
    pub fn open(&self, id: &str) -> Result<Session, SessionError> {
        if let Some(session) = self.get(id) {
            return Ok(session);
        }
        // Foreign code runs in `setup`, so the lock is not held; whoever comes first counts.
        let session = (self.setup)(Session::with_id(id)?);
        Ok(self.lock().entry(id.to_owned()).or_insert(session).clone())
    }

    /// The conversation of this id, if there is one.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Session> {
        self.lock().get(id).cloned()
    }

    /// Adds a conversation, as one that was imported, under its own id; gives the one it replaces.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn insert(&self, session: Session) -> Option<Session> {
        let id = session.id();
        self.lock().insert(id, session)
    }

    /// Takes a conversation away, and gives it. Agents that have it keep it.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn remove(&self, id: &str) -> Option<Session> {
        self.lock().remove(id)
    }

    /// The ids, in alphabetical order.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.ids()).finish()
    }
}
