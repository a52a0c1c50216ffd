import './extension.suite';
import './language.suite';
import './debugger.suite';
import './breakpoints.suite';
import './tree.suite';
import './lifecycle.suite';
import './view.suite';
import './walkthrough.suite';
