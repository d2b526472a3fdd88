;; sbcl.lisp: functions made and compiled while others run, garbage of all ages,
;; threads that the collector has to stop, a fault that becomes a condition.
(defun next-sum (sum i)
  (declare (type (unsigned-byte 40) sum i))
  (mod (+ (* sum 31) i) 1000003))

(defun strings (sum)
  (let ((words '()))
    (dotimes (i 60000)
      (setf sum (next-sum sum i))
      (when (zerop (mod i 10))
        (push (princ-to-string sum) words)))
    (next-sum sum (reduce #'+ (mapcar #'length words)))))

;; Objects that live long and are written to afterwards, between collections.
(defun old-and-new (sum)
  (let ((table (make-hash-table)) (vector (make-array 5000)))
    (dotimes (i 5000)
      (setf (aref vector i) (list i)
            (gethash i table) (aref vector i)))
    (sb-ext:gc :full t)
    (dotimes (i 5000)
      (setf (cdr (aref vector i)) (list (* i i))))
    (sb-ext:gc)
    (dotimes (i 5000 sum)
      (setf sum (next-sum sum (cadr (gethash i table)))))))

(defun made (sum k)
  (let ((source `(lambda (sum)
                   (declare (optimize speed) (type (integer 0 1000002) sum))
                   (dotimes (i 1000 sum)
                     (setf sum (mod (+ (* sum ,k) i) 1000003))))))
    (funcall (if (boundp '+interpreted+) (coerce source 'function) (compile nil source)) sum)))

(defun everything (sum)
  (dotimes (k 20)
    (setf sum (made sum (+ k 2))))
  (strings sum))

(unless (boundp '+interpreted+)
  (mapc #'compile '(next-sum strings old-and-new made everything))
  (with-open-file (part "sbcl-part.lisp" :direction :output :if-exists :supersede)
    (format part "(defun from-file (n) (if (< n 2) n (+ (from-file (- n 1)) (from-file (- n 2)))))"))
  (let ((*standard-output* (make-broadcast-stream)))
    (compile-file "sbcl-part.lisp"))
  (load "sbcl-part.fasl")
  (format t "from a file ~a~%" (from-file 25)))

(format t "~a~%" (old-and-new (everything 1)))
(format t "threads ~{~a ~}~%"
        (mapcar #'sb-thread:join-thread
                (loop for i from 1 to 3
                      collect (let ((i i))
                                (sb-thread:make-thread (lambda () (everything i)))))))
(format t "fault ~a~%"
        (handler-case (sb-sys:sap-ref-8 (sb-sys:int-sap 16) 0)
          (sb-sys:memory-fault-error () 'caught)))
(format t "stack ~a~%"
        (labels ((deep (n) (+ 1 (deep (+ n 1)))))
          (handler-case (deep 0) (sb-kernel::control-stack-exhausted () 'caught)
                        (storage-condition () 'caught))))
(format t "compiled: ~:[no~;yes~]~%" (compiled-function-p #'next-sum))
