//! The attributes and derives of the crate `larder`, which re-exports and documents them.

mod cached;
mod invalidates;
mod key;
mod list;
mod period;
mod receiver;
mod refused;
mod scheduled;
#[cfg(test)]
mod shown;
mod signature;
mod template;

use proc_macro::TokenStream;

/// Keeps the results of a function: a call with arguments that were given before returns what was returned then.
///
/// ```
/// use larder::cached;
/// # #[derive(Clone)] struct Db;
/// # impl Db { async fn name(&self, id: u64) -> Result<String, DbError> { Ok(format!("user {id}")) } }
/// # #[derive(Clone, Debug)] struct DbError;
///
/// #[cached(ttl = "60s", stale = "30s", key = "user:{id}", capacity = 10_000)]
/// async fn user(db: &Db, id: u64) -> Result<String, DbError> {
///     db.name(id).await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let db = Db;
/// assert_eq!(user(&db, 42).await?, "user 42");   // one load, however many callers
/// assert_eq!(user(&db, 42).await?, "user 42");   // a hit
/// user::remove(42).await.unwrap();               // as if it had never been called
/// assert_eq!(user::cache().get_now(&42), None);
/// # Ok::<_, DbError>(()) }).unwrap();
/// ```
///
/// The function keeps its signature. Its results are in a cache of its own, for the whole process and in memory; or in the one
/// that `cache = ..` names. A call is one of [`get_or_load`](../larder/struct.Cache.html#method.get_or_load): all that is said there
/// of callers who join, loads that go on, and what overtakes them holds. A hit costs what it costs there: numbers and `&str`
/// as keys allocate nothing.
///
/// # What is called
///
/// | function | needs |
/// |---|---|
/// | free, also inside of another function | nothing |
/// | of a type, without `self` | `associated`; its companions are then `user_cache()` and `user_uncached(..)` |
/// | method, method of a trait | `cache = EXPR`, such as `cache = self.users`: one cache for the process would mix the instances |
/// | generic | `cache = EXPR`, and a key that tells the types apart |
///
/// An `async fn` runs in a load, which goes on when its caller has left. So what it is given by reference is cloned into the
/// load, on a miss, and a method's `self` is as well: they are `Clone`, or behind an `Arc`. With `scoped` it borrows instead, and
/// ends with its caller. A function that is not async borrows, and runs on the thread of its caller, unless an option asks for
/// loads in the background.
///
/// # The key
///
/// | option | key |
/// |---|---|
/// | none | all arguments, as one or as a tuple |
/// | `skip(db, request)` | all but these |
/// | `key = "user:{id}:{page.no:03}"` | the arguments in braces, by name, or by their order where there is none; fields of them, and formats, as the text they show |
/// | `key = "settings"` | there is one result |
/// | `key = \|id, role\| (id, role.to_owned())` | what a closure makes of arguments: numbers, `bool` and `char` are given to it as they are, all else by reference |
/// | `key = \|id\| -> u64 { id % 10 }` | the same, where the companion `cache()` can tell its type |
///
/// In a cache of its own the parts of a template are compared as what they are, so `("1:2", "3")` and `("1", "2:3")` never meet.
/// For a cache that is given, a template is the text that it is looked up by, a `str`; what its parts have of the characters
/// between them is escaped there. An argument that the key leaves out makes no difference to the result: what depends on it
/// belongs into the key. So does a word of its own, where several functions share one cache and their keys could be the same:
/// `key = "name:{id}"` and `key = "email:{id}"`.
///
/// # Options
///
/// Spans of time are `"500ms"`, `"60s"`, `"5m"`, `"1h30m"`, `"2d"`, or any expression of type `Duration`.
///
/// | option | what it says | default |
/// |---|---|---|
/// | `ttl`, `stale`, `stale_if_error` | how long a result is fresh; served while it is made anew; kept for failures | no end, none, none |
/// | `negative` | how long a `None` is kept; `"0s"`: not at all | as any value |
/// | `cache_if = \|value\| ..` | which values are kept | all |
/// | `cache_errors = "5s"`, `cache_errors("5s", \|error\| ..)` | how long errors are kept, and which | none |
/// | `tags = ["user:{id}"]` | names by which results can be invalidated | none |
/// | `refresh_ahead = 0.8` | after which part of its ttl a hit has a result made anew | off |
/// | `soft_timeout`, `hard_timeout`, `retry_after`, `jitter` | as the combinators of `Cache` | as there |
/// | `capacity` | for how many results there is room | 10,000 |
/// | `name = "users"` | what the cache is called | module and function |
/// | `cache = EXPR` | where the results are: an expression of the arguments, of `self`, or of a static | a cache of its own |
/// | `batch = users`, `batch(users, window = "1ms", max_batch = 100)` | calls that come together are one call of `async fn users(keys: Vec<K>)`, which returns pairs of keys and values. The function returns an `Option`, and ends with `;` in place of a body | off |
/// | `blocking` | the body of an `async fn` blocks: it runs on a thread that may | off |
/// | `scoped` | the load borrows its arguments, and ends with its caller | off |
/// | `associated` | it stands in an `impl` | off |
/// | `crate = path` | where the crate `larder` is | `::larder` |
///
/// With `cache = ..`, what only a whole cache can have is said there: `capacity`, `name`, `refresh_ahead`, `cache_errors`, the
/// time-outs.
///
/// # Companions
///
/// They are associated functions of an empty enum that has the function's name and visibility; as the function, they are async or
/// not. They take those of its arguments that they need, in its order.
///
/// | companion | does |
/// |---|---|
/// | `user::remove(42)` | removes a result |
/// | `user::refresh(&db, 42)` | runs the function, and keeps what it returns |
/// | `user::uncached(&db, 42)` | runs the function, and keeps nothing |
/// | `user::insert(42, value)` | keeps `value` |
/// | `user::cache()` | the cache, if it has one of its own whose type of keys is known |
/// | `user::clear()`, `user::stats()` | of that cache alone |
///
/// A method has none: the cache that it names is its companion. A generic function has `refresh` and `uncached`. A function
/// with `associated` has `user_cache()`, unless its cache is given, and `user_uncached(..)` beside it.
///
/// # In tests
///
/// The cache of a function is made at its first call, by [`Caches::of_the_process`](../larder/struct.Caches.html#method.of_the_process).
/// Before that a test gives it its clock: `Caches::of_the_process().clone().clock(clock.clone())`. A program gives it settings
/// there, from the environment for example.
///
/// # Errors and panics
///
/// Errors are not kept, and one call may serve many callers. So the error type of a function that returns a `Result` is `Clone`, or
/// it is made of what a load can fail with, by `From<LoadError<Self>>`, as `anyhow::Error` and `Box<dyn Error + Send + Sync>` are.
/// Where there is only `Clone`, a call panics if there is no error to return: if the function panicked, takes longer than
/// `hard_timeout`, or waits for itself. A function that returns no `Result` panics in the same cases, but for the time-out, which
/// it does not have.
///
/// A function that is not async waits on its thread where another one runs the same load. In a task of a current-thread runtime it
/// panics then, as [`Cache::blocking`](../larder/struct.Cache.html#method.blocking) says: make it an `async fn` there.
///
/// An alias for a `Result` is one if it is called `Result`; under another name it is refused, because its errors would be kept.
#[proc_macro_attribute]
pub fn cached(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = item.into();
    cached::expand(options.into(), &item).unwrap_or_else(|error| refused::with_item(error, &item)).into()
}

/// Invalidates results after a function has succeeded: those that are no longer true then.
///
/// ```
/// use larder::{cached, invalidates};
/// # type DbError = std::fmt::Error;
///
/// #[cached(ttl = "60s")]
/// async fn user(id: u64) -> Result<String, DbError> {
///     Ok(format!("user {id}"))
/// }
///
/// #[invalidates(user(id), tags = ["team:{team}"])]
/// async fn rename(id: u64, team: u32, name: String) -> Result<String, DbError> {
///     Ok(name) // written to the database
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// user(42).await?;
/// rename(42, 7, "Ada".to_string()).await?;
/// assert_eq!(user::cache().get_now(&42), None);
/// # Ok::<_, DbError>(()) }).unwrap();
/// ```
///
/// | what is said | what is done |
/// |---|---|
/// | `user(id)` | `user::remove(id)`, the companion of a cached function: the compiler checks name and arguments |
/// | `self.users.remove(&id)` | any method of a cache that invalidates |
/// | `tags = ["team:{team}"]` | the tags are invalidated in the caches of the process, or of the group of `cache = EXPR` |
///
/// There may be several. Arguments are worked out before the body runs, which may use its own up: names and fields are cloned. `result`
/// stands for the value that is returned, inside of its `Ok`: `#[invalidates(user(result.id))]`.
///
/// A function that returns a `Result` invalidates nothing when that is an error. The function may be async or not, and so may
/// what it invalidates. Where an invalidation fails because a store is away, the function returns what it has done all the same:
/// the cache makes up for it as soon as it can, and its observers are told.
///
/// # Cancel safety
///
/// Once the body has returned, all is invalidated even if the caller goes away; before that, nothing is. A function that is not async
/// waits for it, but not in a task of a current-thread runtime: what has to wait for a store there is done after it has returned.
#[proc_macro_attribute]
pub fn invalidates(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = item.into();
    invalidates::expand(options.into(), &item).unwrap_or_else(|error| refused::with_item(error, &item)).into()
}

/// Runs a function again and again in the background: a call returns its last good result, without waiting.
///
/// ```
/// use larder::{Scheduler, scheduled};
/// # type BankError = std::fmt::Error;
///
/// #[scheduled(every = "5m")]
/// async fn rate() -> Result<f64, BankError> {
///     Ok(1.08) // from somewhere far away
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let scheduler = Scheduler::new();
/// rate::start_in(&scheduler);            // or else at the first call
/// assert_eq!(rate().await, Ok(1.08));    // waits for the first result, and for no other
/// scheduler.shutdown().await;
/// # });
/// ```
///
/// The function takes no arguments; it may be async or not, and then runs on a thread that may block. Nothing runs before it is
/// started by `start()` or `start_in(&scheduler)`, or by its first call inside of a tokio runtime. Outside of one, calls run the
/// function, whose result lives for twice the interval. If its runtime ends, the first call in another one starts it anew; what was
/// ended by `shutdown` stays so until it is started by name.
///
/// When a run fails, the last good result stays. A call that has none gets the error, which is `Clone` or made of a `LoadError`:
/// [`cached`].
///
/// | option | what it says | default |
/// |---|---|---|
/// | `every` | the interval | must be said |
/// | `start = Start::Now` | when the first run is | `Start::IfAbsent` |
/// | `jitter = 0.1` | by which part of the interval runs are moved by chance | 0 |
/// | `ttl` | for how long the cache has a result as fresh | twice the interval |
/// | `retry_after` | how long after a run that failed the next one is, doubling | `"1s"` |
/// | `stop_when_unread` | after how long without calls it rests | never |
/// | `on_error = \|error\| ..` | who is told of runs that failed | nobody |
/// | `crate = path` | where the crate `larder` is | `::larder` |
///
/// | companion | does |
/// |---|---|
/// | `rate::start()`, `rate::start_in(&scheduler)` | starts it, unless it is running |
/// | `rate::get()`, `rate::age()` | the last good result, and how old it is |
/// | `rate::is_running()`, `rate::shutdown()` | tells whether it goes on; ends it |
/// | `rate::uncached()` | runs the function for this caller alone |
/// | `rate::cache()` | the cache that has the result: what is removed there is loaded anew |
#[proc_macro_attribute]
pub fn scheduled(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = item.into();
    scheduled::expand(options.into(), &item).unwrap_or_else(|error| refused::with_item(error, &item)).into()
}

/// Implements the trait `Key`: the type can be a key of caches over bytes.
///
/// Its text is made of the texts of its fields, as the trait documents them, and no two keys share one:
///
/// | shape | text | example |
/// |---|---|---|
/// | struct with one field, named or not | that of the field | `UserId(7)`: `7` |
/// | struct with several fields | those of the fields, as a tuple's | `Page { tenant: "acme", no: 3 }`: `(acme,3)` |
/// | struct without fields | that of `()` | `()` |
/// | variant of an enum | its name, and those of its fields, as a tuple's | `Owner::User(7)`: `(User,7)`; `Owner::Guest`: `(Guest)` |
///
/// Every field must be a key itself. What else a key needs is derived beside this:
/// `#[derive(Clone, PartialEq, Eq, Hash)]`. With these the text says what equality compares; a type with an equality of
/// its own implements the trait by hand.
///
/// The order of fields is a part of the text, and so are the names of variants, the names of fields are not. Whoever
/// changes what is a part of it leaves what is stored behind: keys of another text are misses.
///
/// # Options
///
/// - `#[key(rename = "v1")]` on a variant: its name in the text, which stays when the code gives it another.
/// - `#[key(rename = "user")]` on a type: a name in front of all else, `(user,7)`. Two types that share a namespace
///   each have a name, or `UserId(7)` and `OrderId(7)` are one key there.
/// - `#[key(skip)]` on a field: it is no part of the key, and may be of any type that is `Clone + Send + Sync`. As
///   texts and equality must agree, `PartialEq`, `Eq` and `Hash` are implemented too, without the field; remove them
///   from `#[derive(..)]`, or there are "conflicting implementations".
/// - `#[key(crate = path)]` on a type: where the crate `larder` is, if it has another name.
///
/// A generic type is a key where its fields are: `Of<T>` with a field of type `T` is one for `T: Key + Clone`.
///
/// # Examples
///
/// ```
/// use larder::Key;
///
/// #[derive(Clone, PartialEq, Eq, Hash, Key)]
/// struct UserId(u64);
///
/// #[derive(Clone, PartialEq, Eq, Hash, Key)]
/// struct Page {
///     tenant: String,
///     owner: Owner,
/// }
///
/// #[derive(Clone, PartialEq, Eq, Hash, Key)]
/// enum Owner {
///     Guest,
///     #[key(rename = "user")]
///     Member(UserId),
/// }
///
/// assert_eq!(UserId(7).text(), "7");
/// assert_eq!(Owner::Guest.text(), "(Guest)");
/// assert_eq!(Owner::Member(UserId(7)).text(), "(user,7)");
/// assert_eq!(Page { tenant: "acme".into(), owner: Owner::Guest }.text(), "(acme,%28Guest%29)");
///
/// #[derive(Clone, Key)]
/// struct Report {
///     id: u64,
///     #[key(skip)]
///     asked_by: UserId,
/// }
///
/// let [one, other] = [1, 2].map(|user| Report { id: 7, asked_by: UserId(user) });
/// assert_eq!(one.text(), "7");
/// assert!(one == other);
/// ```
#[proc_macro_derive(Key, attributes(key))]
pub fn derive_key(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    key::derive(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
