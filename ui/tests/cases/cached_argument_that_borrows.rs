use larder::cached;

#[cached(key = |lang| lang.map(str::to_owned))]
async fn greeting(lang: Option<&str>) -> String {
    lang.unwrap_or("en").to_owned()
}

fn main() {}
