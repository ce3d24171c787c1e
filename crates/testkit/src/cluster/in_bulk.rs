//! Calls for several keys at once: that of the operation, and two more.

use super::database::{self, rows_of, tag_of};
use super::history::Answer;
use super::operations::{Operation, failed};
use super::page::Page;
use super::seams::Seams;
use larder_core::{Cache, Results};

/// Whether there is a call for several keys.
pub(crate) fn has_form(operation: Operation) -> bool {
    matches!(operation, Operation::Get(_) | Operation::Load(_) | Operation::Insert(_) | Operation::Remove(_))
}

/// Carries out the call for the operation's key and others. What becomes of the others is seen by who reads them.
pub(crate) async fn carry_out(
    seams: &Seams,
    cache: &Cache<u64, Page>,
    operation: Operation,
    page: Option<Page>,
) -> Answer {
    let (world, node) = (seams.world(), seams.node());
    let Some(key) = operation.key() else { return Answer::Failed("it is about no key".into()) };
    let keys = [key + 1, key, key + 2].map(|key| key % seams.setup().keys);
    let _doing = keys.map(|key| world.doing(node, Some(key)));
    let tagged = cache.clone().tags(|key: &u64, _: &Page| rows_of(*key).map(tag_of));
    match (operation, page) {
        (Operation::Get(_), _) => match own(cache.get_many(&keys).await) {
            Ok(page) => Answer::Read(page),
            Err(error) => failed(&error),
        },
        (Operation::Load(_), _) => {
            let clock = seams.clock();
            let load = move |keys| database::load_many(world, clock, node, keys);
            match own(tagged.load_many(&keys, load).await) {
                Ok(page) => Answer::Read(page),
                Err(error) => Answer::Failed(error.to_string()),
            }
        }
        (Operation::Insert(_), Some(page)) => done(own(tagged.insert_many([(key, page)]).await)),
        (Operation::Remove(_), _) => done(own(cache.remove_many(&keys).await)),
        _ => Answer::Failed("there is no call for several keys, or nothing to insert".into()),
    }
}

/// What became of the operation's own key, which is the second, or the only one.
fn own<T, E>(results: Results<T, E>) -> Result<T, E> {
    let mut results = results.into_iter();
    let first = results.next();
    results.next().or(first).expect("there is a result for each key")
}

fn done(done: larder_core::Result<()>) -> Answer {
    done.map_or_else(|error| failed(&error), |()| Answer::Done)
}
