/** What reading a run itself takes, apart from what its summary takes: loaded when it is needed. */
export { openRun, requireRoom, summaryOf } from 'lossledger/format';
