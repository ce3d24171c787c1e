use larder::cached;

#[cached(key = |id| id.to_string())]
fn shown(id: impl std::fmt::Display + Send) -> String {
    id.to_string()
}

fn main() {}
