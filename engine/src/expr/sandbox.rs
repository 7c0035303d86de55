//! What a query may say: SELECT over the declared tables and its own WITH tables, and nothing else.
//!
//! Everything is listed, by the shape of the tree: what is not on a list is refused, also what a later version of the
//! parser may learn. Expressions and functions have their lists in `spark.rs` and `functions.rs`.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderBy, OrderByKind, Query,
    Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetQuantifier, TableAlias, TableFactor,
    TableWithJoins, Visit, Visitor, WildcardAdditionalOptions, visit_relations,
};

/// Operators and calls within each other, chains of `or` included: what recursion over a tree is bounded by.
const MAX_DEPTH: usize = 200;
/// Reads of tables after every WITH table is put in the place of its name.
const MAX_SCANS: u64 = 64;

/// Refuses an expression that is too deep to be planned.
pub(super) fn check_expression(expression: &Expr) -> Result<(), String> {
    broken(expression.visit(&mut Checker::default()))
}

/// Refuses a query that says more than a SELECT over `tables`; the names are in lower case.
pub(super) fn check_query(query: &Query, tables: &[String]) -> Result<(), String> {
    let tables: HashSet<&str> = tables.iter().map(String::as_str).collect();
    broken(query.visit(&mut Checker { tables: tables.clone(), ..Checker::default() }))?;
    let mut scans = Scans { tables, of: HashMap::new() };
    broken(query.visit(&mut scans))?;
    let total = scans.total(query);
    match total > MAX_SCANS {
        true => Err(format!("it reads tables {total} times; {MAX_SCANS} are allowed")),
        false => Ok(()),
    }
}

fn broken(flow: ControlFlow<String>) -> Result<(), String> {
    match flow {
        ControlFlow::Break(why) => Err(why),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The table among `names` that `name` may have meant.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = names.map(|known| (strsim::damerau_levenshtein(known, name), known));
    scored.min().filter(|(distance, known)| *distance <= 3 && *distance < known.len()).map(|(_, known)| known)
}

#[derive(Default)]
struct Checker<'a> {
    tables: HashSet<&'a str>,
    /// Names of WITH tables; which of them is in scope where is for the planner to say.
    with_tables: HashSet<String>,
    depth: usize,
}

impl Checker<'_> {
    fn query(&self, query: &Query) -> Result<(), String> {
        let Query {
            with: _,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        refuse(fetch.is_some(), "FETCH")?;
        refuse(!locks.is_empty() || for_clause.is_some(), "FOR after a SELECT")?;
        refuse(settings.is_some(), "SETTINGS")?;
        refuse(format_clause.is_some(), "FORMAT")?;
        refuse(!pipe_operators.is_empty(), "`|>`")?;
        if let Some(OrderBy { kind, interpolate }) = order_by {
            refuse(interpolate.is_some(), "INTERPOLATE")?;
            if let OrderByKind::Expressions(expressions) = kind {
                refuse(expressions.iter().any(|order| order.with_fill.is_some()), "WITH FILL")?;
            } else {
                refuse(true, "ORDER BY ALL")?;
            }
        }
        match limit_clause {
            None | Some(LimitClause::OffsetCommaLimit { .. }) => {}
            Some(LimitClause::LimitOffset { limit_by, .. }) => refuse(!limit_by.is_empty(), "LIMIT BY")?,
        }
        self.body(body)
    }

    fn body(&self, body: &SetExpr) -> Result<(), String> {
        match body {
            SetExpr::Select(_) | SetExpr::Query(_) => Ok(()),
            SetExpr::SetOperation { left, set_quantifier, right, .. } => {
                let known =
                    matches!(set_quantifier, SetQuantifier::None | SetQuantifier::All | SetQuantifier::Distinct);
                refuse(!known, "BY NAME")?;
                self.body(left)?;
                self.body(right)
            }
            SetExpr::Values(_) => Err("VALUES is not allowed".to_owned()),
            SetExpr::Table(_) => Err("TABLE is not allowed; write SELECT * FROM".to_owned()),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err("statements that change data are not allowed".to_owned())
            }
        }
    }

    fn select(&self, select: &Select) -> Result<(), String> {
        let Select {
            select_token: _,
            optimizer_hints,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection: _,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having: _,
            named_window: _,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        // A hint of Spark changes how a query runs, never its result.
        let _ = optimizer_hints;
        refuse(matches!(distinct, Some(Distinct::On(_))), "DISTINCT ON")?;
        refuse(select_modifiers.is_some(), "a modifier after SELECT")?;
        refuse(top.is_some(), "TOP")?;
        refuse(exclude.is_some(), "EXCLUDE")?;
        refuse(into.is_some(), "SELECT INTO")?;
        refuse(!lateral_views.is_empty(), "LATERAL VIEW")?;
        refuse(prewhere.is_some(), "PREWHERE")?;
        refuse(!connect_by.is_empty(), "CONNECT BY")?;
        refuse(
            !cluster_by.is_empty() || !distribute_by.is_empty() || !sort_by.is_empty(),
            "CLUSTER, DISTRIBUTE, SORT BY",
        )?;
        refuse(qualify.is_some(), "QUALIFY")?;
        refuse(value_table_mode.is_some(), "SELECT AS")?;
        refuse(*flavor != SelectFlavor::Standard, "FROM before SELECT")?;
        match group_by {
            GroupByExpr::All(_) => refuse(true, "GROUP BY ALL")?,
            GroupByExpr::Expressions(_, modifiers) => refuse(!modifiers.is_empty(), "ROLLUP, CUBE, GROUPING SETS")?,
        }
        for item in projection {
            match item {
                SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. } => {}
                SelectItem::ExprWithAliases { .. } => refuse(true, "several names of one column")?,
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(_), options)
                | SelectItem::Wildcard(options) => wildcard(options)?,
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _) => refuse(true, "`.*`")?,
            }
        }
        for TableWithJoins { relation: _, joins } in from {
            for join in joins {
                refuse(join.global, "GLOBAL JOIN")?;
                join_operator(&join.join_operator)?;
            }
        }
        Ok(())
    }

    fn table(&self, factor: &TableFactor) -> Result<(), String> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                refuse(args.is_some(), "a function that gives a table")?;
                refuse(!with_hints.is_empty() || !index_hints.is_empty(), "a hint")?;
                refuse(version.is_some(), "an earlier version of a table")?;
                refuse(*with_ordinality, "WITH ORDINALITY")?;
                refuse(!partitions.is_empty() || json_path.is_some(), "a part of a table")?;
                refuse(sample.is_some(), "TABLESAMPLE")?;
                table_alias(alias.as_ref())?;
                self.table_name(name)
            }
            TableFactor::Derived { lateral, alias, sample, .. } => {
                refuse(*lateral, "LATERAL")?;
                refuse(sample.is_some(), "TABLESAMPLE")?;
                table_alias(alias.as_ref())
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                for join in &table_with_joins.joins {
                    refuse(join.global, "GLOBAL JOIN")?;
                    join_operator(&join.join_operator)?;
                }
                table_alias(alias.as_ref())
            }
            TableFactor::TableFunction { .. } | TableFactor::Function { .. } => {
                refuse(true, "a function that gives a table")
            }
            TableFactor::UNNEST { .. } => refuse(true, "UNNEST"),
            TableFactor::JsonTable { .. } | TableFactor::OpenJsonTable { .. } => refuse(true, "JSON_TABLE"),
            TableFactor::XmlTable { .. } => refuse(true, "XMLTABLE"),
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => refuse(true, "PIVOT"),
            TableFactor::MatchRecognize { .. } => refuse(true, "MATCH_RECOGNIZE"),
            TableFactor::SemanticView { .. } => refuse(true, "SEMANTIC_VIEW"),
        }
    }

    fn table_name(&self, name: &ObjectName) -> Result<(), String> {
        let known = || self.tables.iter().copied().chain(self.with_tables.iter().map(String::as_str));
        let written = name.to_string();
        let single = match name.0.as_slice() {
            [part] => part.as_ident().map(|ident| ident.value.as_str()),
            _ => return Err(format!("`{written}` is not a table; tables have one name, and no files are read")),
        };
        match single {
            Some(single) if known().any(|known| known == single) => Ok(()),
            single => {
                let single = single.unwrap_or(&written);
                let mut names: Vec<&str> = known().collect();
                names.sort_unstable();
                Err(match nearest(single, names.iter().copied()) {
                    Some(near) => format!("there is no table `{single}`: did you mean `{near}`?"),
                    None => format!("there is no table `{single}`; there is `{}`", names.join("`, `")),
                })
            }
        }
    }
}

fn refuse(found: bool, what: &str) -> Result<(), String> {
    if found { Err(format!("{what} is not allowed")) } else { Ok(()) }
}

fn wildcard(options: &WildcardAdditionalOptions) -> Result<(), String> {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except: _,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    refuse(opt_ilike.is_some() || opt_exclude.is_some() || opt_alias.is_some(), "what follows `*`")?;
    refuse(opt_replace.is_some() || opt_rename.is_some(), "REPLACE and RENAME after `*`")
}

fn table_alias(alias: Option<&TableAlias>) -> Result<(), String> {
    let Some(TableAlias { explicit: _, name: _, columns, at }) = alias else { return Ok(()) };
    refuse(at.is_some(), "AT")?;
    refuse(columns.iter().any(|column| column.data_type.is_some()), "a type in an alias")
}

fn join_operator(operator: &JoinOperator) -> Result<(), String> {
    use JoinOperator::{
        Anti, CrossJoin, FullOuter, Inner, Join, Left, LeftAnti, LeftOuter, LeftSemi, Right, RightAnti, RightOuter,
        RightSemi, Semi,
    };
    match operator {
        Join(by) | Inner(by) | Left(by) | LeftOuter(by) | Right(by) | RightOuter(by) | FullOuter(by)
        | CrossJoin(by) | Semi(by) | LeftSemi(by) | RightSemi(by) | Anti(by) | LeftAnti(by) | RightAnti(by) => match by
        {
            JoinConstraint::On(_) | JoinConstraint::Using(_) | JoinConstraint::Natural | JoinConstraint::None => Ok(()),
        },
        JoinOperator::CrossApply | JoinOperator::OuterApply => refuse(true, "APPLY"),
        JoinOperator::AsOf { .. } => refuse(true, "ASOF JOIN"),
        JoinOperator::StraightJoin(_) => refuse(true, "STRAIGHT_JOIN"),
        JoinOperator::ArrayJoin | JoinOperator::LeftArrayJoin | JoinOperator::InnerArrayJoin => {
            refuse(true, "ARRAY JOIN")
        }
    }
}

fn flow(result: Result<(), String>) -> ControlFlow<String> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(why) => ControlFlow::Break(why),
    }
}

impl Visitor for Checker<'_> {
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.with_tables.insert(cte.alias.name.value.clone());
        }
        flow(self.query(query))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        flow(self.select(select))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
        flow(self.table(factor))
    }

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<String> {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => ControlFlow::Break(format!(
                "more than {MAX_DEPTH} operators stand within each other; write long chains of `or` with `in`"
            )),
            false => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<String> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// How many reads of tables each WITH table stands for.
struct Scans<'a> {
    tables: HashSet<&'a str>,
    of: HashMap<String, u64>,
}

impl Scans<'_> {
    fn total(&self, query: &Query) -> u64 {
        relations(query).iter().fold(0, |sum, name| sum.saturating_add(self.of.get(name).copied().unwrap_or(1)))
    }
}

impl Visitor for Scans<'_> {
    type Break = String;

    // After the queries within it: what a definition names has been counted before.
    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = &cte.alias.name.value;
            if !self.tables.contains(name.as_str()) && relations(&cte.query).contains(name) {
                return ControlFlow::Break(format!("`{name}` reads itself; recursive tables are not allowed"));
            }
            if self.of.insert(name.clone(), self.total(&cte.query)).is_some() {
                return ControlFlow::Break(format!("WITH defines `{name}` twice"));
            }
        }
        ControlFlow::Continue(())
    }
}

fn relations(query: &Query) -> Vec<String> {
    let mut names = Vec::new();
    let _ = visit_relations(query, |name: &ObjectName| {
        names.push(name.to_string().trim_matches('`').to_owned());
        ControlFlow::<()>::Continue(())
    });
    names
}
