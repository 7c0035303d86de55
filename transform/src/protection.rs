//! Steps that protect personal data: kernels of `etl-pii` over named columns, made once the keys are at hand.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use etl_pii::protect::{Key, Keyring, Protect, RunId};

use crate::kernel::{Kernel, Place};
use crate::parameters::OneOrMany;
use crate::step::{BindContext, Problem};

/// What a protection knows of its run.
#[derive(Debug, Clone)]
pub struct ProtectRun {
    /// Unlike for every attempt; no secret.
    pub run: RunId,
    /// Unlike for every attempt, and written nowhere: who knows it can undo what is drawn by lot.
    pub seed: u64,
    /// The keys by the names that the job calls them.
    pub keys: Keyring,
}

/// The kernel for one column; `number` is unlike for every column of every step.
type Make = dyn Fn(&Field, Option<&Key>, &ProtectRun, u32) -> Result<Arc<dyn Protect>, String> + Send + Sync;

/// Columns that are protected in place.
#[derive(Clone)]
pub struct Protection {
    columns: Vec<FieldRef>,
    key: Option<String>,
    make: Arc<Make>,
    reveals: bool,
}

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protection").field("columns", &self.columns).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Protection {
    /// A protection of `columns` by what `make` gives for each.
    ///
    /// # Errors
    /// That there is no such column, or that one is named twice; as [`Protection::schema`].
    pub fn new(
        context: &BindContext<'_>,
        columns: &OneOrMany<String>,
        key: Option<String>,
        make: impl Fn(&Field, Option<&Key>, &ProtectRun, u32) -> Result<Arc<dyn Protect>, String> + Send + Sync + 'static,
    ) -> Result<Self, Problem> {
        let columns: Vec<FieldRef> = context.columns(columns.list())?.into_iter().map(Arc::clone).collect();
        if columns.is_empty() {
            return Err(Problem::new("`columns` is empty"));
        }
        // What was encrypted twice would have to be decrypted twice.
        let mut names: Vec<&String> = columns.iter().map(|column| column.name()).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[one, other]| one == other) {
            return Err(Problem::new(format!("the column `{name}` is named twice")));
        }
        let protection = Self { columns, key, make: Arc::new(make), reveals: false };
        protection.schema(context.input)?;
        Ok(protection)
    }

    /// A protection that needs a key.
    ///
    /// # Errors
    /// As [`Protection::new`].
    pub fn keyed(
        context: &BindContext<'_>,
        columns: &OneOrMany<String>,
        key: String,
        make: impl Fn(&Field, &Key, &ProtectRun, u32) -> Result<Arc<dyn Protect>, String> + Send + Sync + 'static,
    ) -> Result<Self, Problem> {
        Self::new(context, columns, Some(key), move |field, key, run, number| {
            make(field, key.ok_or("no key was given")?, run, number)
        })
    }

    /// A protection that is the same for every column and run.
    ///
    /// # Errors
    /// As [`Protection::new`].
    pub fn plain(
        context: &BindContext<'_>,
        columns: &OneOrMany<String>,
        kernel: impl Protect + 'static,
    ) -> Result<Self, Problem> {
        let kernel: Arc<dyn Protect> = Arc::new(kernel);
        Self::new(context, columns, None, move |_, _, _, _| Ok(Arc::clone(&kernel)))
    }

    /// The same, of a step whose result is personal data again.
    #[must_use]
    pub fn revealing(mut self) -> Self {
        self.reveals = true;
        self
    }

    /// The name of the key that it needs.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The columns that are protected.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name().as_str())
    }

    /// Whether what comes out is personal data again.
    pub fn reveals(&self) -> bool {
        self.reveals
    }

    /// The columns that come out, before any key is at hand.
    ///
    /// # Errors
    /// That a column of its type cannot be protected so; parameters that do not fit.
    pub fn schema(&self, input: &SchemaRef) -> Result<SchemaRef, Problem> {
        // Types and parameters do not depend on the key.
        let stand_in: [u8; 32] = std::array::from_fn(|index| index as u8);
        let stand_in = Key::new("none", stand_in).map_err(Problem::new)?;
        let run = ProtectRun { run: RunId([0; 16]), seed: 0, keys: Keyring::default() };
        let kernels = self.kernels(input, self.key.as_ref().map(|_| &stand_in), &run, 0)?;
        Ok(Self::output(input, &kernels))
    }

    /// The kernel over batches of `input`; columns take their numbers from `first`.
    ///
    /// # Errors
    /// That the key is not there.
    pub fn kernel(&self, input: &SchemaRef, run: &ProtectRun, first: u32) -> Result<Arc<dyn Kernel>, Problem> {
        let key = self.key.as_ref().map(|name| run.keys.get(name)).transpose().map_err(Problem::new)?;
        let kernels = self.kernels(input, key, run, first)?;
        Ok(Arc::new(Protecting { schema: Self::output(input, &kernels), kernels }))
    }

    fn kernels(&self, input: &SchemaRef, key: Option<&Key>, run: &ProtectRun, first: u32) -> Result<Kernels, Problem> {
        let mut kernels = Vec::with_capacity(self.columns.len());
        for (number, column) in (first..).zip(&self.columns) {
            let about = |text: String| Problem::new(format!("`{}`: {text}", column.name()));
            let index = input.index_of(column.name()).map_err(|error| about(error.to_string()))?;
            let kernel = (self.make)(column, key, run, number).map_err(about)?;
            let output = kernel.output(input.field(index).data_type()).map_err(about)?;
            kernels.push((index, kernel, output));
        }
        Ok(kernels)
    }

    fn output(input: &SchemaRef, kernels: &Kernels) -> SchemaRef {
        let mut fields: Vec<FieldRef> = input.fields().iter().cloned().collect();
        for (index, _, output) in kernels {
            if let Some(field) = fields.get_mut(*index) {
                *field = Arc::new(Field::new(field.name(), output.clone(), true));
            }
        }
        Arc::new(Schema::new(fields))
    }
}

type Kernels = Vec<(usize, Arc<dyn Protect>, DataType)>;

/// Protects columns of a batch.
#[derive(Debug)]
struct Protecting {
    schema: SchemaRef,
    kernels: Kernels,
}

impl Kernel for Protecting {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn one_to_one(&self) -> bool {
        true
    }

    fn made_of(&self, output: usize) -> Vec<usize> {
        vec![output]
    }

    fn apply(&self, batch: &RecordBatch, place: Place) -> Result<RecordBatch, String> {
        let mut columns = batch.columns().to_vec();
        let place = etl_pii::protect::Place { batch: place.batch };
        for (index, kernel, _) in &self.kernels {
            if let Some(column) = columns.get_mut(*index) {
                *column = kernel
                    .protect(column, place)
                    .map_err(|text| format!("`{}`: {text}", self.schema.field(*index).name()))?;
            }
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|error| error.to_string())
    }
}
