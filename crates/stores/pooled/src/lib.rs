//! What the stores of larder have in common that keep a pool of connections: how long a call may take, what becomes of it
//! when its caller goes away, and in which order writes happen. Of use to those stores; it may change with any release.

mod deadline;
mod finish;
mod turns;

pub use deadline::Deadline;
pub use finish::{Finish, finish};
pub use turns::{Turn, Turns};
