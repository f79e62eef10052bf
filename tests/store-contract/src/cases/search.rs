//! FTS5 over text that is folded for Turkish.

use akademi_domain::text::fold;
use akademi_edge_store::{Database, Statement};

use crate::{
    expect::{Outcome, engine_error, equal},
    schema::{integers, statement},
};

fn find(words: &str) -> Statement {
    let sql = "SELECT rowid AS id FROM contract_search WHERE contract_search MATCH ?1 ORDER BY rowid";
    statement(sql, [words.into()])
}

async fn fill(database: &dyn Database) -> Outcome {
    let courses = ["Isıtma ve Şömine Bakımı", "İSTANBUL'DA ŞİİR", "Çağdaş Öğretim Yöntemleri", "Ağaç İşleri"];
    let insert = |(text, id)| {
        let sql = "INSERT INTO contract_search (rowid, words) VALUES (?1, ?2)";
        statement(sql, [i64::into(id), fold(text).into()])
    };
    database.batch(courses.into_iter().zip(1..).map(insert).collect()).await?;
    Ok(())
}

pub async fn folded_turkish_is_found(database: &dyn Database) -> Outcome {
    fill(database).await?;
    for (words, ids) in [
        ("ŞİİR", vec![2]),
        ("istanbul", vec![2]),
        ("ISITMA", vec![1]),
        ("öğretim", vec![3]),
        ("isleri", vec![4]),
    ] {
        equal(words, integers(database, find(&format!("\"{}\"", fold(words)))).await?, ids)?;
    }
    Ok(())
}

pub async fn a_prefix_is_found(database: &dyn Database) -> Outcome {
    fill(database).await?;
    equal("i", integers(database, find("i*")).await?, [1, 2, 4])?;
    equal("two words", integers(database, find("\"ve\" som*")).await?, [1])
}

pub async fn what_is_not_there_is_not_found(database: &dyn Database) -> Outcome {
    equal("an empty index", integers(database, find("siir")).await?, [0; 0])?;
    fill(database).await?;
    equal("another word", integers(database, find("kimya")).await?, [0; 0])
}

pub async fn a_malformed_search_is_an_error(database: &dyn Database) -> Outcome {
    fill(database).await?;
    for words in ["\"", "", "a AND", "(siir", "nowhere:siir", "NEAR(", "*"] {
        let found = database.query(find(words)).await;
        // An empty search is one for nothing.
        if !words.is_empty() {
            engine_error(words, found)?;
        }
    }
    equal("the next search", integers(database, find("siir")).await?, [2])
}
