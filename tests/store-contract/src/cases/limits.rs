//! How much one statement and one batch may hold.

use akademi_edge_store::{Database, Row, Statement, StoreError, Value};

use crate::{
    expect::{Outcome, engine_error, equal, error},
    schema::{insert_value, statement, values},
};

const HUNDRED: &str = "SELECT \
    ?1 AS a1, ?2 AS a2, ?3 AS a3, ?4 AS a4, ?5 AS a5, ?6 AS a6, ?7 AS a7, ?8 AS a8, ?9 AS a9, ?10 AS a10, \
    ?11 + ?12 + ?13 + ?14 + ?15 + ?16 + ?17 + ?18 + ?19 + ?20 + ?21 + ?22 + ?23 + ?24 + ?25 + ?26 + ?27 + \
    ?28 + ?29 + ?30 + ?31 + ?32 + ?33 + ?34 + ?35 + ?36 + ?37 + ?38 + ?39 + ?40 + ?41 + ?42 + ?43 + ?44 + \
    ?45 + ?46 + ?47 + ?48 + ?49 + ?50 + ?51 + ?52 + ?53 + ?54 + ?55 + ?56 + ?57 + ?58 + ?59 + ?60 + ?61 + \
    ?62 + ?63 + ?64 + ?65 + ?66 + ?67 + ?68 + ?69 + ?70 + ?71 + ?72 + ?73 + ?74 + ?75 + ?76 + ?77 + ?78 + \
    ?79 + ?80 + ?81 + ?82 + ?83 + ?84 + ?85 + ?86 + ?87 + ?88 + ?89 + ?90 + ?91 + ?92 + ?93 + ?94 + ?95 + \
    ?96 + ?97 + ?98 + ?99 AS total, ?100 AS a100";

fn numbered(count: i64) -> Vec<Value> {
    (1..=count).map(Value::Integer).collect()
}

pub async fn a_hundred_parameters_are_taken(database: &dyn Database) -> Outcome {
    let found = database.query(Statement { sql: HUNDRED, params: numbered(100) }).await?;
    let mut expected = numbered(10);
    expected.extend([(11..=99).sum::<i64>().into(), 100.into()]);
    equal("a hundred", found, vec![Row(expected)])
}

pub async fn more_than_a_hundred_are_refused_before_anything_runs(database: &dyn Database) -> Outcome {
    let refusal = StoreError::Parameter("more than 100");
    let too_many = || Statement { sql: HUNDRED, params: numbered(101) };
    equal("a query", error("a query", database.query(too_many()).await)?, refusal.clone())?;
    let batch = database.batch(vec![insert_value(1), too_many(), insert_value(2)]).await;
    equal("a batch", error("a batch", batch)?, refusal)?;
    equal("nothing ran", values(database).await?, [0; 0])
}

pub async fn a_wrong_number_of_parameters_is_an_error(database: &dyn Database) -> Outcome {
    let sql = "SELECT ?1 AS a, ?2 AS b";
    for count in [0, 1, 3] {
        let short = || Statement { sql, params: numbered(count) };
        engine_error(format_args!("{count} in a query"), database.query(short()).await)?;
        let batch = database.batch(vec![insert_value(1), short()]).await;
        engine_error(format_args!("{count} in a batch"), batch)?;
    }
    equal("nothing stays", values(database).await?, [0; 0])
}

pub async fn two_hundred_statements_are_one_batch(database: &dyn Database) -> Outcome {
    let answers = database.batch((1..=200).map(insert_value).collect()).await?;
    equal("answers", answers.len(), 200)?;
    equal("all of them", values(database).await?, (1..=200).collect::<Vec<_>>())?;

    let again = (201..=400).map(insert_value).chain([insert_value(200)]).collect();
    error("the last one", database.batch(again).await)?;
    equal("none of them", values(database).await?.len(), 200)
}

pub async fn an_empty_batch_does_nothing(database: &dyn Database) -> Outcome {
    equal("answers", database.batch(Vec::new()).await?, Vec::<Vec<Row>>::new())?;
    database.batch(vec![statement("SELECT 1 AS one", [])]).await?;
    Ok(())
}
