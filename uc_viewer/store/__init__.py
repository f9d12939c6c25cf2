"""The library of cases on disk: the only room that speaks SQL. `schema` tells what lies where."""
