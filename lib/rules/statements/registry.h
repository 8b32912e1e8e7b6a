// The statement types, one per file of this folder. Only registry.cc lists them.
#pragma once

#include "rules/statement.h"

namespace rampart {

extern const StatementType kStatementCounter;
extern const StatementType kStatementLog;
extern const StatementType kStatementSetMark;
extern const StatementType kStatementSetCtMark;
extern const StatementType kStatementSetDscp;
extern const StatementType kStatementTcpMss;
extern const StatementType kStatementTimeout;
extern const StatementType kStatementHelper;
extern const StatementType kStatementAddTo;
extern const StatementType kStatementDeleteFrom;

}  // namespace rampart
