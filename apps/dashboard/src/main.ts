import './style.css';
import { afterFrame, askEarly } from './data/early';

askEarly();
// The shell is on the screen before anything else is evaluated.
void afterFrame().then(() => import('./start'));
