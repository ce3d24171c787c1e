//! A function in an `impl` that returns `Self`, kept for the whole process.
use larder::cached;

#[derive(Clone)]
struct Settings(String);

impl Settings {
    #[cached(ttl = "60s", associated)]
    async fn of(team: &str) -> Self {
        Settings(team.to_owned())
    }
}

fn main() {
    let _ = Settings::of("ada");
}
