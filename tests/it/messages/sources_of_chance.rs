//! What no plugin may call, each once: the negative control of `plugins/clippy.toml`. Compiled by
//! `messages.rs`, and by nothing else; the messages are in `sources_of_chance.txt`.

pub fn clocks() {
    let _ = std::time::SystemTime::now();
    let _ = std::time::Instant::now();
    let _ = atoll_kernel::Timestamp::now();
}

pub fn chance() {
    let _ = uuid::Uuid::now_v7();
    let _ = getrandom::fill(&mut [0]);
    let _ = getrandom::u32();
    let _ = getrandom::u64();
    let _ = atoll_kernel::http::random_token();
}

pub fn environment() {
    let _ = std::env::var("HOME");
    let _ = std::env::var_os("HOME");
    let _ = std::env::vars();
    let _ = std::env::args();
    let _ = std::env::current_dir();
}

pub async fn threads() {
    std::thread::spawn(clocks);
    std::thread::scope(|_| ());
    let _ = std::thread::Builder::new().spawn(clocks);
    std::thread::sleep(std::time::Duration::ZERO);
    tokio::spawn(async {});
    tokio::task::spawn_blocking(clocks);
}
