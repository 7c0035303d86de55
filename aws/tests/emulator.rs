//! The audit table and the catalog against a real emulator, over HTTP.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test")]

mod support;

use std::sync::Arc;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use aws_sdk_glue::types::DatabaseInput;
use etl_aws::{Clients, DynamoAudit, GlueCatalog, Stores};
use etl_engine::audit::{AuditLog, Event, Filter, State, conformance};
use etl_engine::catalog::{
    Catalog, CatalogTable, Evolution, MemoryCatalog, PartitionEntry, Publication, RUN_KEY, Registered, TableColumn,
    TableShape,
};
use etl_engine::source::{StoreProvider, locate};

/// The table of deploy/template.yaml.
async fn table(clients: &Clients) {
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key =
        |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let index = GlobalSecondaryIndex::builder()
        .index_name("by_state")
        .key_schema(key("queue", KeyType::Hash))
        .key_schema(key("queued_at", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .unwrap();
    let create = clients.dynamodb().await.create_table().table_name("audit").billing_mode(BillingMode::PayPerRequest);
    let create = ["pk", "sk", "queue", "queued_at"]
        .into_iter()
        .fold(create, |create, name| create.attribute_definitions(attribute(name)));
    create
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index)
        .send()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_audit_table_keeps_the_contract() {
    let Some(emulator) = support::start() else { return };
    table(&emulator.clients).await;
    let log = Arc::new(DynamoAudit::new(emulator.clients.clone(), "audit"));
    conformance::check(log).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_index_holds_open_files_only() {
    let Some(emulator) = support::start() else { return };
    table(&emulator.clients).await;
    let log = DynamoAudit::new(emulator.clients.clone(), "audit");
    let event = |state| Event {
        file_id: "f".into(),
        state,
        uri: "s3://b/f".into(),
        attempt: "a/0".into(),
        dataset: Some("orders".into()),
        ..Event::default()
    };
    let indexed = async || {
        let client = emulator.clients.dynamodb().await;
        let found = client.scan().table_name("audit").index_name("by_state").send().await.unwrap();
        found.items().iter().map(|item| item["queue"].as_s().unwrap().clone()).collect::<Vec<_>>()
    };
    for (state, queues) in [
        (State::New, vec!["orders#NEW"]),
        (State::Validating, vec!["orders#VALIDATING"]),
        (State::Invalid, vec!["orders#INVALID"]),
    ] {
        log.advance(&event(state)).await.unwrap();
        assert_eq!(indexed().await, queues);
    }
    log.advance(&Event { moved_to: Some("s3://failed/f".into()), ..event(State::Invalid) }).await.unwrap();
    assert_eq!(indexed().await, Vec::<String>::new());
    let open = Filter { open: true, ..Filter::of("orders", &State::ALL) };
    assert_eq!(log.list(&open).await.unwrap(), []);
    assert_eq!(log.list(&Filter::of("orders", &[State::Invalid])).await.unwrap().len(), 1);
    assert_eq!(log.events("f").await.unwrap().len(), 4);
}

fn publication(run: &str, columns: &[(&str, &str)], partitions: usize) -> Publication {
    let entry = |number: usize| PartitionEntry {
        values: vec![format!("c {number}/=é"), run.to_owned()],
        location: format!("s3://lake/t/data/{run}/country={number}"),
        rows: 1,
        bytes: 2,
    };
    Publication {
        location: "s3://lake/t".into(),
        shape: TableShape {
            columns: columns.iter().map(|(name, kind)| TableColumn::new(name, kind)).collect(),
            partition_keys: vec![TableColumn::new("country", "string"), TableColumn::new(RUN_KEY, "string")],
        },
        partitions: (0..partitions).map(entry).collect(),
        run_id: run.to_owned(),
    }
}

/// The same publications to the catalog and to its model: what each says it did must agree, and so must the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_catalog_does_what_its_model_does() {
    let Some(emulator) = support::start() else { return };
    let glue = emulator.clients.glue().await;
    let input = DatabaseInput::builder().name("sales").build().unwrap();
    glue.create_database().database_input(input).send().await.unwrap();
    let (catalog, model) = (GlueCatalog::new(emulator.clients.clone()), MemoryCatalog::default());
    let names =
        |evolution| CatalogTable { database: "sales".into(), table: "orders".into(), catalog_id: None, evolution };
    let two = [("id", "bigint"), ("amount", "decimal(12,2)")];
    let three = [("id", "bigint"), ("day", "date"), ("amount", "decimal(12,2)")];
    let other = [("id", "string"), ("amount", "decimal(12,2)")];
    let steps = [
        ("first", Evolution::Add, publication("r1", &two, 250)),
        ("again", Evolution::Add, publication("r1", &two, 250)),
        ("cut off before", Evolution::Add, publication("r1", &two, 260)),
        ("another run", Evolution::Strict, publication("r2", &two, 1)),
        ("a new column", Evolution::Strict, publication("r3", &three, 1)),
        ("a new column", Evolution::Add, publication("r3", &three, 1)),
        ("fewer columns", Evolution::Add, publication("r4", &two, 0)),
        ("another type", Evolution::Add, publication("r5", &other, 1)),
        ("another type, replaced", Evolution::Replace, publication("r6", &other, 1)),
    ];
    for (step, evolution, publication) in steps {
        let table = names(evolution);
        let told = |done: etl_engine::Result<Registered>| done.map_err(|error| error.to_string());
        let wanted = told(model.register(&table, &publication).await);
        assert_eq!(told(catalog.register(&table, &publication).await), wanted, "{step}");
    }
    let values = |run: &str, index: usize| publication(run, &two, index + 1).partitions[index].values.clone();
    // More than one call takes, some twice, some that are not there.
    let gone: Vec<Vec<String>> =
        (0..120).map(|index| values("r1", index)).chain([values("r1", 3), values("never", 0)]).collect();
    for (table, gone) in [("orders", gone.as_slice()), ("orders", &[]), ("nowhere", &gone[..2])] {
        let table = CatalogTable { table: table.into(), ..names(Evolution::Add) };
        model.forget(&table, gone).await.unwrap();
        catalog.forget(&table, gone).await.unwrap();
    }
    let (shape, partitions) = model.table("sales", "orders").unwrap();
    let found = glue.get_table().database_name("sales").name("orders").send().await.unwrap().table.unwrap();
    let storage = found.storage_descriptor().unwrap();
    let columns: Vec<_> =
        storage.columns().iter().map(|column| TableColumn::new(column.name(), column.r#type().unwrap())).collect();
    assert_eq!(columns, shape.columns);
    let mut pages = glue.get_partitions().database_name("sales").table_name("orders").into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        for partition in page.unwrap().partitions() {
            let known = &partitions[partition.values()];
            assert_eq!(partition.storage_descriptor().unwrap().location(), Some(known.location.as_str()));
            count += 1;
        }
    }
    assert_eq!(count, partitions.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_is_not_there_is_named() {
    let Some(emulator) = support::start() else { return };
    let catalog = GlueCatalog::new(emulator.clients.clone());
    let table = CatalogTable { database: "nowhere".into(), table: "t".into(), ..CatalogTable::default() };
    let error = catalog.register(&table, &publication("r", &[("id", "int")], 1)).await.unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
    assert_eq!(error.exit_code(), 2);
}

/// What the emulator has no client for here: an empty request, signed by nobody.
async fn ask(method: &str, url: String, body: &'static str) {
    let request = reqwest::Client::new().request(method.parse().unwrap(), url).body(body);
    let request =
        request.header("authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request");
    request.send().await.unwrap().error_for_status().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_object_is_deleted_only_at_its_version() {
    let Some(emulator) = support::start() else { return };
    for bucket in ["plain", "versioned"] {
        ask("PUT", format!("{}/{bucket}", emulator.endpoint), "").await;
    }
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    ask("PUT", format!("{}/versioned?versioning", emulator.endpoint), enabled).await;
    let stores = Stores::of_emulator(&emulator.endpoint);
    for bucket in ["plain", "versioned"] {
        let uri = format!("s3://{bucket}/in/a b+\u{e9}.csv");
        let place = locate(&uri, &stores).unwrap();
        let put = async |body: &'static str| {
            let put = object_store::ObjectStoreExt::put(&place.store, &place.path, body.into()).await.unwrap();
            put.version.or(put.e_tag).unwrap()
        };
        let (judged, later) = (put("judged").await, put("later").await);
        let body = async || {
            let found = object_store::ObjectStoreExt::get(&place.store, &place.path).await;
            Some(found.ok()?.bytes().await.unwrap())
        };
        // Where there are versions, the one that was judged goes and the later one stays; else nothing goes.
        let deleted = stores.delete_version(&uri, Some(&judged)).await.unwrap();
        assert_eq!(deleted, bucket == "versioned", "{bucket}");
        assert_eq!(body().await.as_deref(), Some(b"later".as_slice()), "{bucket}");
        assert!(stores.delete_version(&uri, Some(&later)).await.unwrap(), "{bucket}");
        assert_eq!(body().await, None, "{bucket}");
    }
}
