use agently_macros::syncify;

struct Report;

#[syncify(blocker = Self::blocker)]
impl Report {
    pub async fn get_text(&self) -> Result<String, ()> {
        Ok(String::new())
    }

    pub async fn async_ping(&self) {}

    pub async fn async_load(_path: &str) -> Result<Self, ()> {
        Err(())
    }

    pub fn async_lines(&self) -> Vec<String> {
        Vec::new()
    }

    #[syncify(iter)]
    pub fn get_async_generator(&self) -> Vec<String> {
        Vec::new()
    }

    #[syncify(iter = Vec)]
    pub async fn async_rows(&self) -> Vec<String> {
        Vec::new()
    }

    pub async fn async_match(&self) -> Result<(), ()> {
        Ok(())
    }

    #[syncify(never)]
    pub async fn async_marked(&self) -> Result<(), ()> {
        Ok(())
    }
}

fn main() {}
