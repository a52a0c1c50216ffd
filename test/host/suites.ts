import './extension.suite';
import './language.suite';
import './debugger.suite';
