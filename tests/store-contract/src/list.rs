//! The list of cases.

/// Hands all cases to the macro `$into`: by who has the file meanwhile ([`File`](crate::File)), by module.
#[macro_export]
macro_rules! contract {
    ($into:ident) => {
        $into! {
            Free {
                values {
                    integers_within_bounds_are_exact
                    integers_beyond_bounds_are_refused_as_parameters
                    integers_beyond_bounds_are_refused_in_rows
                    an_integer_parameter_computes_as_an_integer
                    null_is_null
                    bytes_come_back_as_they_were
                    text_comes_back_as_it_was
                    parameters_keep_their_type
                    real_numbers_are_refused_in_rows
                    a_change_that_returns_a_real_number_is_an_error
                }
                limits {
                    a_hundred_parameters_are_taken
                    more_than_a_hundred_are_refused_before_anything_runs
                    a_wrong_number_of_parameters_is_an_error
                    two_hundred_statements_are_one_batch
                    an_empty_batch_does_nothing
                }
                batches {
                    each_statement_has_its_rows_and_sees_those_before_it
                    a_first_statement_that_fails_leaves_nothing
                    a_middle_statement_that_fails_leaves_nothing
                    a_last_statement_that_fails_leaves_nothing
                    a_commit_that_fails_leaves_nothing
                    a_statement_that_ends_the_transaction_leaves_nothing
                    a_statement_that_fails_halfway_leaves_nothing
                    returning_gives_what_was_written
                }
                guard {
                    a_condition_that_holds_lets_the_batch_through
                    a_condition_that_fails_leaves_nothing
                    a_condition_that_fails_late_undoes_what_came_before
                }
                races {
                    concurrent_increments_with_versions_are_all_kept
                    concurrent_increments_without_versions_are_lost
                }
                errors {
                    a_second_row_of_one_value_is_unique
                    two_columns_that_are_unique_together_are_both_named
                    a_child_without_its_parent_is_a_foreign_key
                    a_parent_with_children_stays
                    a_broken_rule_is_a_check
                    a_missing_value_is_not_null
                    a_syntax_error_is_the_engines
                    an_error_in_the_midst_of_rows_is_told
                }
                reads {
                    an_empty_result_has_no_rows
                    statements_that_return_nothing_have_no_rows
                    ten_thousand_rows_arrive_in_order
                    columns_keep_the_order_of_the_statement
                    columns_of_one_name_are_kept_by_a_query
                    columns_of_one_name_are_not_given_by_a_batch
                    a_query_that_would_write_is_refused
                    a_second_statement_in_one_text_never_runs
                }
                search {
                    folded_turkish_is_found
                    a_prefix_is_found
                    what_is_not_there_is_not_found
                    a_malformed_search_is_an_error
                }
                abandoned {
                    an_abandoned_batch_is_whole_or_not_there
                    an_abandoned_query_holds_nothing
                }
            }
            Held {
                busy {
                    a_write_to_a_held_file_is_busy_and_a_read_is_not
                }
            }
        }
    };
}
