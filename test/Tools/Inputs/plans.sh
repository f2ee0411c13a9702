#!/bin/sh
# Exit code 1: the program in file $1 has a plan with the words $WORDS.
dtensor-opt "$1" --dtensor-plan-pipeline 2>/dev/null | grep -q "$WORDS" && exit 1
exit 0
