//! Methods, methods of traits, and functions of types.

use super::Count;
use larder::{cached, prelude::*};
use std::sync::Arc;

#[derive(Clone)]
struct Users {
    name: String,
    cache: Cache<u64, String>,
    by_page: Cache<(String, u32), Vec<String>>,
    runs: Arc<Count>,
}

impl Users {
    fn new(name: &str) -> Self {
        Users {
            name: name.to_owned(),
            cache: Cache::new(Memory::new(10)).boxed(),
            by_page: Cache::new(Memory::new(10)).boxed(),
            runs: Arc::default(),
        }
    }

    /// Its name is its own, and is kept.
    #[cached(cache = self.cache)]
    async fn user(&self, id: u64) -> Result<String, std::fmt::Error> {
        self.runs.one();
        if id == 0 {
            return Err(std::fmt::Error);
        }
        let name = self.named(id).ok_or(std::fmt::Error)?;
        Ok(format!("{name}{}", if id == 1 { "!" } else { "" }))
    }

    fn named(&self, id: u64) -> Option<String> {
        (id < 100).then(|| format!("{} {id}", self.name))
    }

    #[cached(cache = self.by_page)]
    async fn page(&self, sort: &str, page: u32) -> Vec<String> {
        self.runs.one();
        // A macro is given `self` too, and an item in here has one of its own.
        let all = vec![self.name.clone(), format!("{sort}{page}"), Inside.text(&self.name)];
        struct Inside;
        impl Inside {
            fn text(&self, name: &str) -> String {
                let Inside = self;
                name.to_owned()
            }
        }
        all
    }

    #[cached(cache = self.cache, scoped)]
    async fn borrowed(&self, id: u64) -> String {
        self.runs.one();
        self.name.clone() + &id.to_string()
    }

    #[cached(cache = self.cache)]
    fn synchronous(&self, id: u64) -> String {
        self.runs.one();
        self.name.clone() + &id.to_string()
    }

    #[cached(cache = self.cache)]
    async fn of_an_arc(self: Arc<Self>, id: u64) -> String {
        self.runs.one();
        self.name.clone() + &id.to_string()
    }
}

#[tokio::test]
async fn each_instance_has_the_results_of_its_own() {
    let (here, there) = (Users::new("here"), Users::new("there"));

    assert_eq!(here.user(7).await.unwrap(), "here 7");
    assert_eq!(there.user(7).await.unwrap(), "there 7");
    assert_eq!(here.user(7).await.unwrap(), "here 7");
    assert_eq!((here.runs.get(), there.runs.get()), (1, 1));
    here.cache.remove(&7).await.unwrap();
    assert_eq!(here.user(7).await.unwrap(), "here 7");
    assert_eq!(here.runs.get(), 2);
    assert!(here.user(0).await.is_err());
    assert_eq!(here.user(1).await.unwrap(), "here 1!");
}

#[tokio::test]
async fn borrowed_arguments_are_parts_of_the_key() {
    let users = Users::new("ada");

    for _ in 0..2 {
        assert_eq!(users.page("name", 1).await, ["ada", "name1", "ada"]);
        assert_eq!(users.page("age", 1).await, ["ada", "age1", "ada"]);
    }
    assert_eq!(users.runs.get(), 2);
}

#[tokio::test]
async fn all_kinds_of_receivers_are_kept() {
    let users = Users::new("ada");

    assert_eq!((users.borrowed(1).await, users.borrowed(1).await), ("ada1".into(), "ada1".into()));
    assert_eq!((users.synchronous(2), users.synchronous(2)), ("ada2".into(), "ada2".into()));
    let shared = Arc::new(users);
    let (one, other) = (Arc::clone(&shared).of_an_arc(3).await, Arc::clone(&shared).of_an_arc(3).await);
    assert_eq!((one, other), ("ada3".into(), "ada3".into()));
    assert_eq!(shared.runs.get(), 3);
}

trait Prices {
    fn price(&self, of: &str) -> impl Future<Output = u64> + Send;

    fn cache(&self) -> &Cache<str, u64>;

    #[cached(cache = self.cache())]
    fn by_default(&self, of: &str) -> u64 {
        of.len() as u64
    }
}

struct Shop {
    prices: Cache<str, u64>,
    runs: Count,
}

impl Prices for Shop {
    #[cached(cache = self.prices, scoped)]
    async fn price(&self, of: &str) -> u64 {
        self.runs.one();
        of.len() as u64
    }

    fn cache(&self) -> &Cache<str, u64> {
        &self.prices
    }
}

#[tokio::test]
async fn methods_of_traits_are_kept_too() {
    let shop = Shop { prices: Cache::new(Memory::new(10)).boxed(), runs: Count::new() };

    assert_eq!((shop.price("bread").await, shop.price("bread").await), (5, 5));
    assert_eq!(shop.runs.get(), 1);
    assert_eq!(shop.by_default("milk"), 4);
    assert_eq!(shop.prices.get_now("milk"), Some(4));
}

static CIRCLES: std::sync::LazyLock<Cache<u64, u64>> =
    std::sync::LazyLock::new(|| Cache::new(Memory::new(10)).boxed());

struct Geometry;

struct Algebra;

impl Algebra {
    #[cached(associated)]
    fn area(side: u64) -> u64 {
        side + 1
    }
}

impl Geometry {
    /// The area of a square.
    #[cached(ttl = "60s", associated)]
    pub(super) fn area(side: u64) -> u64 {
        side * side
    }

    #[cached(associated, cache = CIRCLES)]
    fn circle(radius: u64) -> u64 {
        3 * radius * radius
    }

    #[cached(associated)]
    async fn volume(side: u64) -> Result<u64, std::fmt::Error> {
        Ok(Self::area(side) * side)
    }
}

#[tokio::test]
async fn a_function_of_a_type_has_companions_beside_it() {
    assert_eq!((Geometry::area(3), Geometry::area_uncached(3)), (9, 9));
    assert_eq!(Geometry::area_cache().get_now(&3), Some(9));
    assert_eq!(Geometry::volume(3).await, Ok(27));
    assert_eq!(Geometry::volume_uncached(3).await, Ok(27));
    Geometry::volume_cache().remove(&3).await.unwrap();
    assert_eq!(Geometry::volume_cache().get_now(&3), None);
}

#[test]
fn a_function_of_a_type_may_have_a_cache_that_is_given() {
    assert_eq!((Geometry::circle(2), Geometry::circle_uncached(2)), (12, 12));
    assert_eq!(CIRCLES.get_now(&2), Some(12));
}

#[test]
fn functions_of_one_name_are_told_apart_by_their_types() {
    assert_eq!((Algebra::area(3), Geometry::area(3)), (4, 9));
    let names = larder::Caches::of_the_process().names();
    for ty in ["Algebra", "Geometry"] {
        let name = format!("{}::{ty}::area", module_path!());
        assert!(names.contains(&name), "{name} of {names:?}");
    }
}

#[derive(Clone)]
struct Texts(Cache<u64, String>);

impl Texts {
    #[cached(cache = self.0)]
    async fn counted(&self, mut id: u64) -> String {
        id += 1;
        let text = format!("{}", self::one());
        text + &id.to_string()
    }
}

fn one() -> u64 {
    1
}

#[tokio::test]
async fn the_body_of_a_method_is_as_it_was() {
    let texts = Texts(Cache::new(Memory::new(10)).boxed());
    assert_eq!((texts.counted(7).await, texts.counted(7).await), ("18".into(), "18".into()));
}
