#!/bin/sh
# Exit code 1: the program in file $1 is of interest.
dtensor-opt "$1" --dtensor-partition-pipeline 2>/dev/null |
  grep -q dtensor.all_reduce && exit 1
exit 0
