//! What one operation has seen of records that can be compared and set, for what it writes later.

use crate::record::Token;
use crate::sync::Mutex;
use smallvec::SmallVec;

/// See the module. By level; few caches have more than one that compares.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<SmallVec<[(usize, Token); 1]>>);

impl Tokens {
    /// Notes the token of the record that was seen at a level. The last one counts.
    pub(crate) fn note(&self, level: usize, token: Token) {
        let mut tokens = self.0.lock();
        tokens.retain(|(known, _)| *known != level);
        tokens.push((level, token));
    }

    pub(crate) fn of(&self, level: usize) -> Option<Token> {
        self.0.lock().iter().find(|(known, _)| *known == level).map(|(_, token)| token.clone())
    }
}
