//! docs/migrate.md is what the tables say; `UPDATE_DOCS=1` writes it.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;

use etl_migrate::doc_page;

#[test]
fn the_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/migrate.md");
    let page = doc_page::page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(written, page, "docs/migrate.md is stale: UPDATE_DOCS=1 cargo test -p etl-migrate --test doc_page");
}
