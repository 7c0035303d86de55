//! docs/reference/steps is what the registry says; `UPDATE_DOCS=1` writes it.

use std::collections::BTreeMap;
use std::path::Path;

use etl_transform::{doc_pages, registry};

#[test]
fn the_pages_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/steps");
    let mut pages: BTreeMap<String, String> =
        registry::all().iter().map(|step| (format!("{}.md", step.name), doc_pages::page(step))).collect();
    pages.insert("README.md".to_owned(), doc_pages::index());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &pages {
        let written = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(&written, text, "{name} is stale: UPDATE_DOCS=1 cargo test -p etl-transform --test doc_pages");
    }
    let there: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let lost: Vec<_> = there.iter().filter(|name| !pages.contains_key(&*name.to_string_lossy())).collect();
    assert!(lost.is_empty(), "pages of steps that are gone: {lost:?}");
}

#[test]
fn the_registry_is_in_order_and_whole() {
    let names: Vec<&str> = registry::all().iter().map(|step| step.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    for step in registry::all() {
        assert!(step.doc.summary.ends_with('.') && !step.doc.nulls.is_empty(), "{}", step.name);
        let parameters = (step.parameters)().to_value();
        assert!(parameters.get("description").is_some(), "{}: its parameters have no words", step.name);
    }
}
